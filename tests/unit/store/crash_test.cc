// Several processes at once, and processes that are killed at any point.
#include <SQLiteCpp/SQLiteCpp.h>
#include <signal.h>
#include <sys/ptrace.h>

#include <optional>
#include <set>

#include "fixture.hh"

namespace pushrod {
namespace {

using State = DeploymentState;

class StoreCrash : public StoreTest {
 protected:
  // Runs it in a traced process. Whenever the files have changed at the entry to or the return from a system call,
  // calls `check` with a store opened on a copy of them: what a SIGKILL at that moment leaves behind. Returns how
  // often.
  unsigned at_every_kill(const std::function<void()>& work, const std::function<void(Store&)>& check) {
    const std::filesystem::path left_behind = directory_ / "left-behind";
    const std::filesystem::path journal = directory_ / "pushrod.db-journal";
    std::optional<std::string> database_before;
    std::optional<std::string> journal_before;
    unsigned checks = 0;
    const auto look = [&] {
      const auto database_now = read_file(file());
      const auto journal_now = read_file(journal);
      if (checks > 0 && database_now == database_before && journal_now == journal_before) return;
      remove_tree(left_behind);
      make_directory(left_behind);
      if (database_now) write_file(left_behind / "pushrod.db", *database_now, 0600, false);
      if (journal_now) write_file(left_behind / "pushrod.db-journal", *journal_now, 0600, false);
      Store opened(left_behind / "pushrod.db");
      check(opened);
      EXPECT_EQ(opened.integrity(), "ok");
      database_before = database_now;
      journal_before = journal_now;
      ++checks;
    };

    const pid_t child = in_child([&] {
      if (ptrace(PTRACE_TRACEME, 0, nullptr, nullptr) != 0) throw Error("cannot be traced");
      raise(SIGSTOP);
      work();
    });
    int status = 0;
    while (waitpid(child, &status, 0) == child && WIFSTOPPED(status)) {
      look();
      ptrace(PTRACE_SYSCALL, child, nullptr, nullptr);
    }
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    look();
    return checks;
  }
};

TEST_F(StoreCrash, CommitOfTwoAppsIsAllOrNothingWheneverItIsKilled) {
  const App blog = add_app("blog");
  const App shop = add_app("shop");
  deploy({blog, shop});
  const std::int64_t group = prepare({blog, shop})[0].group;
  close();

  unsigned nothing = 0;
  unsigned all = 0;
  at_every_kill([&] { Store(file()).commit_group(group, Step::Switch); },
                [&](Store& left) {
                  const Deployment deployment = left.group(group).at(0);
                  const bool committed = deployment.state == State::Committed;
                  ++(committed ? all : nothing);
                  EXPECT_EQ(deployment.steps.empty(), !committed);
                  for (const AppId app : {blog.id, shop.id}) {
                    EXPECT_EQ(left.app(app)->live, committed ? 2u : 1u);
                    const std::vector<Instance> instances = left.instances(app);
                    ASSERT_EQ(instances.size(), 2u);
                    EXPECT_EQ(instances[0].state, committed ? InstanceState::Draining : InstanceState::Serving);
                    EXPECT_EQ(instances[1].state, committed ? InstanceState::Serving : InstanceState::Starting);
                  }
                });
  EXPECT_GT(nothing, 10u);
  EXPECT_GE(all, 1u);
  EXPECT_EQ(store().app(blog.id)->live, 2u);
}

TEST_F(StoreCrash, CreationIsRepeatedWheneverItWasKilled) {
  const unsigned checks =
      at_every_kill([&] { Store created(file()); },
                    [&](Store& left) {
                      left.add_app(app_name("blog"), {RepoName::parse("site"), BranchName::parse("main")});
                    });
  EXPECT_GT(checks, 10u);
}

TEST_F(StoreCrash, AWriterKilledWithHalfItsPagesOnDiskLeavesNothing) {
  for (int i = 0; i < 20; ++i) add_app("app" + std::to_string(i));
  close();
  const pid_t writer = in_child([&] {
    SQLite::Database database(file().string(), SQLite::OPEN_READWRITE);
    database.exec(
        "PRAGMA journal_mode = PERSIST; PRAGMA cache_size = 1; BEGIN IMMEDIATE;"
        "UPDATE apps SET path = hex(randomblob(2000)), last_number = 99;"
        "UPDATE apps SET branch = hex(randomblob(2000))");
    raise(SIGKILL);
  });
  EXPECT_EQ(ended(writer), -1);
  const std::string journal = read_file(directory_ / "pushrod.db-journal").value();
  ASSERT_EQ(journal.substr(0, 4), "\xd9\xd5\x05\xf9");  // hot: there is something to undo
  ASSERT_GT(std::filesystem::file_size(file()), 100'000u);

  EXPECT_EQ(store().apps().size(), 20u);
  for (const App& app : store().apps()) {
    EXPECT_EQ(app.path, "");
    EXPECT_EQ(app.branch.str(), "main");
  }
  EXPECT_EQ(store().integrity(), "ok");
  EXPECT_EQ(begin({store().apps()[0]})[0].number, 1u);
}

TEST_F(StoreCrash, NumbersStayUniqueWhenSeveralProcessesBegin) {
  const App blog = add_app("blog");
  close();
  constexpr unsigned kEach = 25;
  std::vector<pid_t> children;
  for (int i = 0; i < 4; ++i) {
    children.push_back(in_child([&] {
      for (unsigned n = 0; n < kEach; ++n) begin({blog});
    }));
  }
  for (const pid_t child : children) EXPECT_EQ(ended(child), 0);
  const std::vector<Deployment> all = store().deployments(blog.id, 1000);
  ASSERT_EQ(all.size(), 4 * kEach);
  EXPECT_EQ(all.front().number, 4 * kEach);
  EXPECT_EQ(all.back().number, 1u);
  // Each superseded all that waited before it.
  EXPECT_EQ(all.front().state, State::Waiting);
  for (std::size_t i = 1; i < all.size(); ++i) EXPECT_EQ(all[i].state, State::Superseded);
}

TEST_F(StoreCrash, PortsAreLeasedOnceWhenSeveralProcessesSearch) {
  std::vector<Release> releases;
  for (int i = 0; i < 4; ++i) {
    const App app = add_app("app" + std::to_string(i));
    releases.push_back(release_of(begin({app})[0], {process("web", 10)}));
    store().add_release(releases.back());
  }
  close();
  std::vector<pid_t> children;
  for (const Release& release : releases) {
    children.push_back(in_child([&] {
      Store own(file());
      for (int n = 0; n < 5; ++n) {
        std::vector<InstanceName> names;
        for (const Instance& added : own.add_instances(release, {}, 20000, 20039, always_free))
          names.push_back(added.name);
        if (n < 4) own.remove_instances(names);
      }
    }));
  }
  for (const pid_t child : children) EXPECT_EQ(ended(child), 0);
  std::set<Port> ports;
  for (const Instance& leased : store().instances()) ports.insert(leased.port.value());
  EXPECT_EQ(ports.size(), 40u);
  EXPECT_EQ(*ports.begin(), 20000);
  EXPECT_EQ(*ports.rbegin(), 20039);
}

}  // namespace
}  // namespace pushrod
