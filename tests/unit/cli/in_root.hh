// A root directory of an ordinary user, and what a command prints and throws in it.
// Used by the tests of cli/ only.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <string>

#include "base/error.hh"
#include "cli/cli.hh"
#include "git/repository.hh"
#include "os/files.hh"

namespace pushrod {

// What the function throws, as "message | hint".
template <class ErrorType, class Function>
std::string refusal(Function function) {
  try {
    function();
  } catch (const ErrorType& error) {
    return error.message() + " | " + error.hint();
  } catch (const Error& error) {
    return "(another error) " + error.message();
  }
  return "(nothing thrown)";
}

class InRoot : public testing::Test {
 protected:
  InRoot() : layout_(make_root()) {}
  ~InRoot() override {
    if (getuid() == 0 && seteuid(0) != 0) std::abort();
    remove_tree(layout_.root());
  }
  // What it prints; it must succeed.
  std::string printed(const std::vector<std::string>& words, const Caller& caller = {}) {
    testing::internal::CaptureStdout();
    int code = -1;
    std::string problem;
    try {
      code = run_verbs(layout_.root(), words, caller);
    } catch (const Error& error) {
      problem = error.message();
    }
    std::string text = testing::internal::GetCapturedStdout();
    EXPECT_EQ(code, kExitOk) << problem;
    return text;
  }
  std::string refused(const std::vector<std::string>& words, const Caller& caller = {}) {
    return refusal<UserError>([&] { run_verbs(layout_.root(), words, caller); });
  }
  std::string misspelt(const std::vector<std::string>& words) {
    return refusal<UsageError>([&] { run_verbs(layout_.root(), words, {}); });
  }
  App add_app(const std::string& name, const std::string& repo) {
    Store store(layout_.database());
    Repository::create(layout_.repo(RepoName::parse(repo)), layout_.hooks(), {});
    return store.add_app(AppName::parse(name), {RepoName::parse(repo), BranchName::parse("main")});
  }
  // Its next deployment is live, with nothing running.
  void make_live(const App& app) {
    Store store(layout_.database());
    const auto commit = CommitId::parse(std::string(40, 'a'));
    const auto begun = store.begin_deployments(
        {{.app_id = app.id, .kind = DeploymentKind::Push, .commit = commit, .previous = {}, .author = "ann"}});
    store.advance(begun.front().group, DeploymentState::Running);
    store.add_release({.app_id = app.id,
                       .app = app.name,
                       .number = begun.front().number,
                       .commit = commit,
                       .checkout = begun.front().number,
                       .builder = "none",
                       .processes = {},
                       .environment = {},
                       .created = now(),
                       .source = app.source()});
    store.advance(begun.front().group, DeploymentState::Ready);
    store.commit_group(begun.front().group);
    store.advance(begun.front().group, DeploymentState::Live);
  }
  // A key in the database; without apps, an administrator's.
  Caller key(const std::string& name, const std::vector<std::string>& apps = {}) {
    std::vector<AppName> names;
    for (const auto& app : apps) names.push_back(AppName::parse(app));
    return {Store(layout_.database())
                .add_key(KeyName::parse(name), "ssh-ed25519 " + name, "SHA256:" + name,
                         names.empty() ? Role::Admin : Role::Deploy, names)};
  }
  Layout layout_;

 private:
  // Pushrod refuses to work as root.
  static fs::path make_root() {
    constexpr uid_t kNobody = 65'534;
    std::string name = fs::temp_directory_path() / "pushrod-cli-XXXXXX";
    if (mkdtemp(name.data()) == nullptr) std::abort();
    if (geteuid() == 0 && (chown(name.c_str(), kNobody, kNobody) != 0 || seteuid(kNobody) != 0)) std::abort();
    for (const auto* directory : {"repos", "run", "run/locks", "run/hooks"}) make_directory(fs::path(name) / directory);
    return name;
  }
};

}  // namespace pushrod
