// A root directory with a real database, a real repository and an engine without processes; and what must always be
// true of them.
// Used by the tests of deploy/ only.
#pragma once

#include <fcntl.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/error.hh"
#include "base/text.hh"
#include "deploy/apps.hh"
#include "deploy/await_end.hh"
#include "deploy/control.hh"
#include "deploy/deploy.hh"
#include "deploy/placement.hh"
#include "deploy/plans.hh"
#include "deploy/reconcile.hh"
#include "deploy/retention.hh"
#include "deploy/settle.hh"
#include "deploy/tidy.hh"
#include "deploy/traffic.hh"
#include "deploy/trash.hh"
#include "fake_engine.hh"
#include "git/repository.hh"
#include "os/file_lock.hh"
#include "os/files.hh"

namespace pushrod {

constexpr Milliseconds kPatience{20'000};  // a test that passes never waits for it

inline InstanceName instance(const std::string& text) { return InstanceName::from(text).value(); }
inline bool always_free(Port) { return true; }

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

// The child's exit code; minus the signal that ended it.
inline int ended(pid_t child) {
  int status = 0;
  if (waitpid(child, &status, 0) != child) return -1000;
  return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

// One process's view: its own connection and engine. Made anew in every forked child.
struct View {
  explicit View(const Layout& layout_value, const Settings& settings_value)
      : layout(layout_value),
        settings(settings_value),
        store(layout.database()),
        engine(layout.root() / "engine"),
        platform{layout, settings, store, engine, engine} {}
  Layout layout;
  Settings settings;
  Store store;
  FakeEngine engine;
  Platform platform;
};

struct Told {
  Outcome outcome;
  std::string text;  // what the person was told
};

class DeployTest : public testing::Test {
 protected:
  DeployTest() : layout_(make_root()) {
    settings_.builds = 1;
    settings_.domain = "example.org";
    settings_.watch = Milliseconds{0};
    open();
  }
  ~DeployTest() override {
    close();
    remove_tree(layout_.root());
  }

  void open() { here_ = std::make_unique<View>(layout_, settings_); }
  void close() { here_.reset(); }
  Store& store() { return here_->store; }
  FakeEngine& engine() { return here_->engine; }
  const Platform& platform() { return here_->platform; }

  App add_app(const std::string& name, const std::string& path = "") {
    return create_app(platform(), AppName::parse(name), {repo_, branch_, path});
  }
  App app(const std::string& name) { return store().app(AppName::parse(name)).value(); }
  Repository repository() const { return Repository(layout_.repo(repo_)); }

  std::string git(std::vector<std::string> arguments, std::string input = {}) const {
    Command git;
    arguments.insert(arguments.begin(), {"git", "--git-dir=" + layout_.repo(repo_).string()});
    git.argv = std::move(arguments);
    git.environment = git_environment();
    for (const char* who : {"AUTHOR", "COMMITTER"}) {
      git.environment[std::string("GIT_") + who + "_NAME"] = "A U Thor";
      git.environment[std::string("GIT_") + who + "_EMAIL"] = "author@example.org";
      git.environment[std::string("GIT_") + who + "_DATE"] = "1700000000 +0000";
    }
    git.input = std::move(input);
    auto out = run_checked(git);
    while (out.ends_with('\n')) out.pop_back();
    return out;
  }
  // A commit of these files, without a branch. `path/name` makes directories.
  CommitId commit(const std::map<std::string, std::string>& files, const std::optional<CommitId>& parent = {},
                  const std::string& subject = "a commit") const {
    std::string import = fmt::format(
        "commit refs/imported\ncommitter A <a@example.org> 1700000000 +0000\ndata {}\n{}\n", subject.size(), subject);
    if (parent) import += fmt::format("from {}\n", parent->str());
    import += "deleteall\n";
    for (const auto& [name, content] : files) {
      import += fmt::format("M 100644 inline {}\ndata {}\n{}\n", name, content.size(), content);
    }
    git({"fast-import", "--quiet", "--force"}, import);
    const auto id = CommitId::parse(git({"rev-parse", "refs/imported"}));
    git({"update-ref", "-d", "refs/imported"});
    return id;
  }
  // The n-th version of an app with a web and a worker process.
  CommitId version(int number, const std::optional<CommitId>& parent = {}) const {
    return commit({{"Procfile", "web: serve\nworker: work\n"}, {"version", std::to_string(number)}}, parent,
                  fmt::format("version {}", number));
  }

  Change change(DeploymentKind kind, const std::optional<CommitId>& commit) const {
    auto& store = here_->store;
    return {kind, repo_, branch_, store.apps_of(repo_, branch_), commit, repository().head_of(branch_), "ann"};
  }
  Change push_of(const CommitId& commit) const { return change(DeploymentKind::Push, commit); }
  Change removal() const { return change(DeploymentKind::Remove, {}); }
  Change redeploy() const { return change(DeploymentKind::Redeploy, repository().head_of(branch_)); }
  Change restart() const { return change(DeploymentKind::Restart, repository().head_of(branch_)); }

  Told run(const Change& change, int cancel_fd = -1) {
    const auto file = layout_.root() / "told";
    remove_file(file);
    const auto fd = open_file(file, O_RDWR | O_CREAT | O_APPEND);
    Journal journal(fd.get());
    Told told;
    told.outcome = deploy(platform(), change, journal, cancel_fd);
    told.text = read_file(file).value();
    return told;
  }
  // As `pushrod serve` would, until there is nothing left to do.
  void reconcile() {
    Reconciler reconciler(platform());
    for (int pass = 0; pass < 20; ++pass) {
      if (reconciler.pass() > Milliseconds{1000}) return;
    }
    ADD_FAILURE() << "the reconciler is never done";
  }

  // Until the reconciler and the tidier have nothing left to do.
  void settle_down() {
    reconcile();
    Tidier(platform()).pass();
  }

  // All that a deployment may change, but for its own record and the log; the trash is nobody's.
  std::string everything() {
    std::string text = "refs: " + git({"for-each-ref", "--format=%(refname) %(objectname)"}) + "\n";
    for (const auto& app : store().apps()) {
      text += fmt::format("{} live {}{}\n", app.name.str(), app.live.value_or(0), app.stopped ? ", stopped" : "");
      for (const auto& [type, count] : store().counts(app.id)) text += fmt::format("  {}={}\n", type.str(), count);
      for (const auto& [name, setting] : store().settings(app.id)) {
        text += fmt::format("  setting {} {}\n", name.str(), setting.sealed);
      }
      for (const auto& release : store().releases(app.id)) {
        text += fmt::format("  release {} {} on {}\n", release.number, release.commit.str(), release.checkout);
      }
      text += "  checkouts " + join(list_directory(layout_.checkouts(app.name)), " ") + "\n";
      text += "  kept " + join(list_directory(layout_.releases(app.name)), " ") + "\n";
    }
    for (const auto& row : store().instances()) {
      text += fmt::format("{} {} {}\n", row.name.str(), to_string(row.state), row.port.value_or(0));
    }
    for (const auto& [name, state] : engine().states()) text += fmt::format("{} is {}\n", name.str(), state);
    return text + engine().routes();
  }

  // When everything has settled: the ref is the truth (I1), all or nothing (I2), no more checkouts than there are
  // releases that need them, one of them live (I4).
  void check_invariants(const std::string& when) {
    SCOPED_TRACE(when);
    EXPECT_TRUE(store().unfinished_deployments().empty());
    std::set<std::string> wanted;
    for (const auto& app : store().apps()) {
      SCOPED_TRACE(app.name.str());
      const auto head = Repository(layout_.repo(app.repo)).head_of(app.branch);
      std::set<std::string> kept;
      std::vector<std::string> used;
      for (const auto& release : store().releases(app.id)) kept.insert(std::to_string(release.checkout));
      ASSERT_EQ(app.live.has_value(), head.has_value()) << "live without its branch, or the other way round";
      if (app.live) {
        const auto release = store().release(app.id, *app.live);
        ASSERT_TRUE(release.has_value());
        EXPECT_EQ(release->commit, *head) << "the ref names what does not run";
        used = {std::to_string(release->checkout)};
        kept.erase(used.front());
        EXPECT_TRUE(is_directory(layout_.checkout(app.name, release->checkout).tree()));
        for (const auto& process : release->processes) {
          for (unsigned number = 1; number <= process.count && !app.stopped; ++number) {
            wanted.insert(InstanceName{app.name, maker_of(app, process.type, number), process.type, number}.str());
          }
        }
      }
      EXPECT_EQ(list_directory(layout_.checkouts(app.name)), used);
      EXPECT_EQ(list_directory(layout_.releases(app.name)), (std::vector<std::string>{kept.begin(), kept.end()}));
    }
    std::set<std::string> rows, running;
    std::set<Port> ports;
    for (const auto& row : store().instances()) {
      rows.insert(row.name.str());
      EXPECT_EQ(row.state, InstanceState::Serving) << row.name.str();
      if (!row.port) continue;
      EXPECT_TRUE(ports.insert(*row.port).second) << "a port is leased twice";
    }
    for (const auto& [name, state] : engine().states()) {
      running.insert(name.str());
      EXPECT_EQ(state, "up") << name.str();
    }
    EXPECT_EQ(rows, wanted);
    EXPECT_EQ(running, wanted);
    EXPECT_EQ(engine().routes(), FakeEngine::rendered(traffic_targets(platform())));
  }

  // A change of the scale goes on with instances of older releases, all others make new ones.
  ReleaseNumber maker_of(const App& app, const ProcessType& type, unsigned number) {
    if (store().deployment(app.id, *app.live)->kind != DeploymentKind::Scale) return *app.live;
    for (const auto& row : store().instances(app.id)) {
      if (row.name.type == type && row.name.number == number) return row.name.release;
    }
    return *app.live;
  }

  Layout layout_;
  Settings settings_;
  RepoName repo_ = RepoName::parse("site");
  BranchName branch_ = BranchName::parse("main");
  std::unique_ptr<View> here_;

 private:
  static fs::path make_root() {
    // In memory where possible: flushing is what takes the time, and nothing here cuts the power.
    const fs::path memory = "/dev/shm";
    const bool writable = access(memory.c_str(), W_OK | X_OK) == 0;
    std::string name = ((writable ? memory : fs::temp_directory_path()) / "pushrod-deploy-XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr) throw_errno("make a temporary directory");
    make_directory(fs::path(name) / "run" / "locks");
    make_directory(fs::path(name) / "run" / "hooks");
    make_directory(fs::path(name) / "repos");
    return name;
  }
};

}  // namespace pushrod
