// A store in a directory of its own, and short ways to put things into it.
#pragma once

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/error.hh"
#include "os/files.hh"
#include "store/store.hh"

namespace pushrod {

inline CommitId commit(char digit = 'a') { return CommitId::parse(std::string(40, digit)); }
inline AppName app_name(const std::string& name) { return AppName::parse(name); }
inline bool always_free(Port) { return true; }

inline Process process(const std::string& type, std::uint32_t count = 1) {
  return {.type = ProcessType::parse(type), .command = "run " + type, .count = count, .health = {}};
}

inline InstanceName instance(const std::string& text) { return InstanceName::from(text).value(); }

class StoreTest : public testing::Test {
 protected:
  StoreTest() {
    // In memory where possible: flushing is what SQLite waits for, and nothing here cuts the power.
    const std::filesystem::path memory = "/dev/shm";
    const bool writable = access(memory.c_str(), W_OK | X_OK) == 0;
    std::string name = ((writable ? memory : std::filesystem::temp_directory_path()) / "pushrod-store-XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr) throw std::runtime_error("mkdtemp failed");
    directory_ = name;
  }
  ~StoreTest() override {
    store_.reset();
    remove_tree(directory_);
  }

  std::filesystem::path file() const { return directory_ / "pushrod.db"; }

  Store& store() {
    if (!store_) store_ = std::make_unique<Store>(file());
    return *store_;
  }
  // Before a fork, and to see what another process sees.
  void close() { store_.reset(); }

  App add_app(const std::string& name, const std::string& repo = "site", const std::string& branch = "main") {
    return store().add_app(app_name(name), {RepoName::parse(repo), BranchName::parse(branch)});
  }

  std::vector<Deployment> begin(const std::vector<App>& apps, DeploymentKind kind = DeploymentKind::Push,
                                char digit = 'a') {
    std::vector<DeploymentRequest> requests;
    for (const App& app : apps) {
      DeploymentRequest request{.app_id = app.id, .kind = kind, .commit = {}, .previous = {}, .author = "ann"};
      if (kind != DeploymentKind::Remove) request.commit = commit(digit);
      requests.push_back(request);
    }
    return store().begin_deployments(requests);
  }

  Release release_of(const Deployment& deployment, ProcessTable processes = {process("web")}) {
    return {.app_id = deployment.app_id,
            .app = deployment.app,
            .number = deployment.number,
            .commit = deployment.commit.value(),
            .checkout = deployment.number,
            .builder = "python",
            .processes = std::move(processes),
            .environment = {},
            .created = now(),
            .source = {RepoName::parse("site"), BranchName::parse("main")}};
  }

  // Up to the commit point: releases and instances are there, the state is Ready.
  std::vector<Deployment> prepare(const std::vector<App>& apps, ProcessTable processes = {process("web")}) {
    std::vector<Deployment> deployments = begin(apps);
    const std::int64_t group = deployments.front().group;
    store().advance(group, DeploymentState::Running);
    for (const Deployment& deployment : deployments) {
      const Release release = release_of(deployment, processes);
      store().add_release(release);
      store().add_instances(release, {}, 20000, 29999, always_free);
    }
    store().advance(group, DeploymentState::Ready);
    return deployments;
  }

  std::vector<Deployment> deploy(const std::vector<App>& apps, ProcessTable processes = {process("web")}) {
    std::vector<Deployment> deployments = prepare(apps, std::move(processes));
    store().commit_group(deployments.front().group);
    store().advance(deployments.front().group, DeploymentState::Live);
    return deployments;
  }

  InstanceState state_of(const std::string& name) {
    for (const Instance& candidate : store().instances()) {
      if (candidate.name.str() == name) return candidate.state;
    }
    throw Error("no instance " + name);
  }

  std::filesystem::path directory_;
  std::unique_ptr<Store> store_;
};

// Runs it in a process of its own, which ends with 0 if nothing was thrown.
inline pid_t in_child(const std::function<void()>& work) {
  const pid_t child = fork();
  if (child != 0) return child;
  try {
    work();
    _exit(0);
  } catch (const std::exception& error) {
    fprintf(stderr, "child: %s\n", error.what());
    _exit(1);
  }
}

// The child's exit code; -1 if a signal ended it.
inline int ended(pid_t child) {
  int status = 0;
  if (waitpid(child, &status, 0) != child) return -2;
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

}  // namespace pushrod
