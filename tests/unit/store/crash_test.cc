// Several processes at once, and processes that are killed at every point.
#include <SQLiteCpp/SQLiteCpp.h>
#include <signal.h>
#include <sys/ptrace.h>

#include <set>

#include "fixture.hh"

namespace pushrod {
namespace {

using State = DeploymentState;

class StoreCrash : public StoreTest {
 protected:
  // Copies the database as it is, without journal: nobody may have it open.
  void keep() { kept_ = read_file(file()).value(); }
  void put_back() {
    write_file(file(), kept_, 0600, false);
    std::filesystem::remove(directory_ / "pushrod.db-journal");
  }
  std::string kept_;
};

// Runs it traced, and kills it before it enters or leaves its nth system call. False when it ended before.
bool killed_at(unsigned nth, const std::function<void()>& work) {
  const pid_t child = in_child([&] {
    if (ptrace(PTRACE_TRACEME, 0, nullptr, nullptr) != 0) throw Error("cannot be traced");
    raise(SIGSTOP);
    work();
  });
  int status = 0;
  for (unsigned stops = 0; waitpid(child, &status, 0) == child; ++stops) {
    if (!WIFSTOPPED(status)) {
      EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
      return false;
    }
    if (stops == nth) {
      kill(child, SIGKILL);
      waitpid(child, &status, 0);
      return true;
    }
    ptrace(PTRACE_SYSCALL, child, nullptr, nullptr);
  }
  return false;
}

TEST_F(StoreCrash, CommitOfTwoAppsIsAllOrNothingAtEverySystemCall) {
  const App blog = add_app("blog");
  const App shop = add_app("shop");
  deploy({blog, shop});
  const std::int64_t group = prepare({blog, shop})[0].group;
  close();
  keep();

  unsigned nothing = 0;
  unsigned all = 0;
  for (unsigned nth = 1;; ++nth) {
    put_back();
    const bool killed = killed_at(nth, [&] { Store(file()).commit_group(group, Step::Switch); });
    const bool committed = store().group(group).at(0).state == State::Committed;
    ASSERT_EQ(store().app(blog.id)->live, committed ? 2u : 1u) << nth;
    ASSERT_EQ(store().app(shop.id)->live, committed ? 2u : 1u) << nth;
    ASSERT_EQ(state_of("blog.2.web.1"), committed ? InstanceState::Serving : InstanceState::Starting) << nth;
    ASSERT_EQ(state_of("shop.1.web.1"), committed ? InstanceState::Draining : InstanceState::Serving) << nth;
    ASSERT_EQ(store().group(group)[0].steps.empty(), !committed) << nth;
    ASSERT_EQ(store().integrity(), "ok") << nth;
    ++(committed ? all : nothing);
    close();
    if (!killed) break;
  }
  EXPECT_GT(nothing, 20u);
  EXPECT_GT(all, 1u);
}

TEST_F(StoreCrash, CreationIsRepeatedAfterAKillAtAnySystemCall) {
  for (unsigned nth = 1;; ++nth) {
    const bool killed = killed_at(nth, [&] { Store created(file()); });
    add_app("blog");
    ASSERT_EQ(store().integrity(), "ok") << nth;
    close();
    if (!killed) break;
    std::filesystem::remove(file());
    std::filesystem::remove(directory_ / "pushrod.db-journal");
  }
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
        for (const Instance& added : own.add_instances(release, 20000, 20039, always_free)) names.push_back(added.name);
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
