// The reconciler: what it brings about, and what it leaves alone.
#include "deploy/reconcile.hh"

#include <SQLiteCpp/SQLiteCpp.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>

#include "deploy/deploy.hh"
#include "os/socket.hh"
#include "world.hh"

namespace pushrod {
namespace {

class Reconcile : public DeployTest {
 protected:
  Reconcile() : reconciler_(platform()) {
    add_app("blog");
    first_ = commit_with("drain_timeout = 60");
    run(push_of(*first_));
    settle_down();
  }
  CommitId commit_with(const std::string& settings, const std::string& version = "1") {
    return commit({{"pushrod.toml", "[processes.web]\ncommand = \"serve\"\n" + settings + "\n"}, {"version", version}},
                  repository().head_of(branch_));
  }
  void push_another() { ASSERT_TRUE(run(push_of(commit_with("", "2"))).outcome.live); }
  std::optional<InstanceState> row(const std::string& name) {
    for (const auto& candidate : store().instances()) {
      if (candidate.name.str() == name) return candidate.state;
    }
    return std::nullopt;
  }
  void await_row(const std::string& name, InstanceState state) {
    const Deadline deadline(kPatience);
    while (row(name) != state && !deadline.passed()) reconciler_.pass();
    EXPECT_EQ(row(name), state) << name;
  }
  // As if the machine's clock had been set forward by so much since every instance came into its state.
  void move_clock(std::chrono::hours by) {
    SQLite::Database database(layout_.database().string(), SQLite::OPEN_READWRITE);
    database.exec(fmt::format("UPDATE instances SET since = since - {}", Milliseconds(by).count()));
  }
  void set_config(const std::string& value) {
    auto asked = change(DeploymentKind::Config, repository().head_of(branch_));
    const auto name = SettingName::parse("GREETING");
    asked.settings.emplace(name, AppSetting{store().vault().seal(app("blog").id, name, Secret(value)), false});
    ASSERT_TRUE(run(asked).outcome.live);
  }
  void lose_key() {
    close();
    remove_file(layout_.settings_key());
    open();
  }
  bool was_told(const std::string& words) {
    const auto& told = engine().told;
    return std::find(told.begin(), told.end(), words) != told.end();
  }
  std::optional<CommitId> first_;
  Reconciler reconciler_;
};

TEST_F(Reconcile, NothingIsDoneWhenAllIsAsItShouldBe) {
  engine().told.clear();
  EXPECT_GT(reconciler_.pass(), Milliseconds{1000});
  EXPECT_EQ(engine().told, (std::vector<std::string>{"inspect", "inspect"}));
}

TEST_F(Reconcile, AnIdleInstanceThatIsOutOfUseIsStoppedAndForgotten) {
  push_another();
  EXPECT_LT(reconciler_.pass(), Milliseconds{1000});
  EXPECT_EQ(row("blog.1.web.1"), InstanceState::Stopping);
  EXPECT_TRUE(was_told("stop blog.1.web.1"));
  reconcile();
  check_invariants("when it has ended");
}

TEST_F(Reconcile, RequestsInFlightAreWaitedFor) {
  push_another();
  engine().flights = {{instance("blog.1.web.1"), 1}, {instance("blog.2.web.1"), 5}};
  for (int pass = 0; pass < 3; ++pass) EXPECT_LT(reconciler_.pass(), Milliseconds{1000});
  EXPECT_EQ(row("blog.1.web.1"), InstanceState::Draining);
  EXPECT_FALSE(was_told("stop blog.1.web.1"));
  engine().flights = {{instance("blog.1.web.1"), 0}, {instance("blog.2.web.1"), 5}};
  reconciler_.pass();
  EXPECT_EQ(row("blog.1.web.1"), InstanceState::Stopping);
  reconcile();
  check_invariants("when it has ended");
}

TEST_F(Reconcile, TheDrainLimitIsThatOfTheReleaseWhichDrains) {
  push_another();  // drain_timeout is 30 s again
  ASSERT_TRUE(run(push_of(commit_with("drain_timeout = \"1ms\"", "3"))).outcome.live);
  ASSERT_TRUE(run(push_of(commit_with("", "4"))).outcome.live);
  engine().flights = {{instance("blog.1.web.1"), 1}, {instance("blog.2.web.1"), 1}, {instance("blog.3.web.1"), 1}};
  await_row("blog.3.web.1", InstanceState::Stopping);
  EXPECT_EQ(row("blog.1.web.1"), InstanceState::Draining);
  EXPECT_EQ(row("blog.2.web.1"), InstanceState::Draining);
  EXPECT_EQ(row("blog.3.web.1"), InstanceState::Stopping) << "its time is up";
}

TEST_F(Reconcile, OldInstancesAreLeftAloneUntilTheRouterHasSwitched) {
  engine().on_route = [] { throw Error("the router is gone"); };
  push_another();  // committed, but not switched
  EXPECT_EQ(row("blog.1.web.1"), InstanceState::Draining);
  for (int pass = 0; pass < 3; ++pass) reconciler_.pass();
  EXPECT_EQ(row("blog.1.web.1"), InstanceState::Draining);
  EXPECT_FALSE(was_told("stop blog.1.web.1")) << "it still gets the requests";
  engine().on_route = nullptr;
  reconcile();
  check_invariants("when the router is back");
}

TEST_F(Reconcile, WhatDoesNotEndIsNotForgotten) {
  push_another();
  engine().stubborn = true;
  for (int pass = 0; pass < 4; ++pass) EXPECT_LT(reconciler_.pass(), Milliseconds{1000});
  EXPECT_EQ(row("blog.1.web.1"), InstanceState::Stopping);
  EXPECT_EQ(std::count(engine().told.begin(), engine().told.end(), "stop blog.1.web.1"), 1)
      << "each time the word is said again, its time begins anew";
  engine().stubborn = false;
  engine().set(instance("blog.1.web.1"), "down");
  reconcile();
  check_invariants("when it has ended");
}

TEST_F(Reconcile, TheMachinesClockDecidesNothing) {
  push_another();
  engine().flights = {{instance("blog.1.web.1"), 1}};
  for (const int hours : {1000, -2000, 1000}) {
    move_clock(std::chrono::hours(hours));
    reconciler_.pass();
    EXPECT_EQ(row("blog.1.web.1"), InstanceState::Draining) << hours;
  }
  engine().flights.clear();
  engine().stubborn = true;
  reconciler_.pass();
  for (const int hours : {1000, -2000}) {
    move_clock(std::chrono::hours(hours));
    reconciler_.pass();
    EXPECT_EQ(row("blog.1.web.1"), InstanceState::Stopping);
    EXPECT_FALSE(was_told("kill blog.1.web.1")) << hours;
  }
}

TEST_F(Reconcile, WithoutTheKeyOfTheSettingsInstancesAreDrainedAndStoppedAllTheSame) {
  set_config("hello");
  set_config("good evening");
  lose_key();
  reconcile();
  check_invariants("the old ones are gone");
}

TEST_F(Reconcile, WithoutTheKeyOfTheSettingsADeploymentFailsAndIsUndone) {
  set_config("hello");
  reconcile();
  lose_key();
  const auto told = run(push_of(commit_with("", "2")));
  EXPECT_FALSE(told.outcome.live);
  EXPECT_NE(told.text.find("setting GREETING cannot be opened"), std::string::npos) << told.text;
  EXPECT_TRUE(store().unfinished_deployments().empty());
  check_invariants("as it was");
}

TEST_F(Reconcile, FailuresAreRetriedLessAndLessOftenUntilTheDaemonIsCalled) {
  engine().lose(instance("blog.1.web.1"));
  remove_tree(layout_.checkouts(AppName::parse("blog")));
  const auto tries = [&] {
    const auto& told = engine().told;
    return std::count(told.begin(), told.end(), "start blog.1.web.1");
  };
  engine().told.clear();
  const Deadline deadline(kPatience);
  EXPECT_LE(reconciler_.pass(), Milliseconds{100});
  while (reconciler_.pass() <= Milliseconds{300} && !deadline.passed()) {
  }
  EXPECT_EQ(tries(), 3) << "after 100 and 200 ms; the next time after 400";
  EXPECT_LE(reconciler_.pass(true), Milliseconds{100});
  EXPECT_EQ(tries(), 4) << "somebody called";
  engine().set(instance("blog.1.web.1"), "up");
  EXPECT_GT(reconciler_.pass(), Milliseconds{1000}) << "what is not to be done any more is forgotten";
}

TEST_F(Reconcile, StrangersAreRemoved) {
  engine().set(instance("blog.7.web.1"), "up");
  engine().set(instance("gone.1.web.1"), "up");
  reconcile();
  check_invariants("without the strangers");
}

TEST_F(Reconcile, WhatIsMissingIsStarted) {
  engine().lose(instance("blog.1.web.1"));
  reconcile();
  check_invariants("started again");
}

TEST_F(Reconcile, OneAppThatCannotBeStartedDoesNotKeepTheOthersFromIt) {
  branch_ = BranchName::parse("other");
  create_app(platform(), AppName::parse("aaa"), {repo_, branch_});
  ASSERT_TRUE(run(push_of(*first_)).outcome.live);
  settle_down();
  engine().lose(instance("aaa.1.web.1"));
  engine().lose(instance("blog.1.web.1"));
  remove_tree(layout_.checkouts(AppName::parse("aaa")));
  EXPECT_LT(reconciler_.pass(), Milliseconds{1000});
  EXPECT_EQ(engine().states().count(instance("aaa.1.web.1")), 0U);
  EXPECT_EQ(engine().states().count(instance("blog.1.web.1")), 1U);
}

TEST_F(Reconcile, WrongRoutesAreCorrected) {
  engine().set_routes("blog.example.org: blog.9.web.1\n");
  EXPECT_LT(reconciler_.pass(), Milliseconds{1000});
  EXPECT_EQ(engine().routes(), "blog.example.org: blog.1.web.1\n");
}

TEST_F(Reconcile, AnInterruptedDeploymentIsSettled) {
  const auto begun =
      store().begin_deployments({{app("blog").id, DeploymentKind::Push, commit_with("", "2"), first_, "ann"}}).front();
  store().advance(begun.group, DeploymentState::Running);
  make_directory(layout_.checkout(AppName::parse("blog"), begun.number).tree());
  reconcile();
  const auto deployment = store().deployment(app("blog").id, begun.number).value();
  EXPECT_EQ(deployment.state, DeploymentState::Failed);
  EXPECT_EQ(deployment.error, "interrupted: the process that deployed it was killed");
  EXPECT_EQ(deployment.hint, "push again, or redeploy");
  check_invariants("settled");
  EXPECT_FALSE(fs::exists(layout_.group_lock(begun.group)));
}

TEST_F(Reconcile, TheTidierIsCalledForWhatASettledDeploymentLeaves) {
  const auto calls = bind_datagram(layout_.serve_socket());
  const auto begun =
      store().begin_deployments({{app("blog").id, DeploymentKind::Push, commit_with("", "2"), first_, "ann"}}).front();
  store().advance(begun.group, DeploymentState::Running);
  char word[16];
  while (recv(calls.get(), word, sizeof word, MSG_DONTWAIT) >= 0) {
  }
  reconciler_.pass();
  EXPECT_GT(recv(calls.get(), word, sizeof word, MSG_DONTWAIT), 0);
}

TEST_F(Reconcile, ADeploymentWhoseProcessLivesIsLeftAlone) {
  const auto begun =
      store().begin_deployments({{app("blog").id, DeploymentKind::Push, commit_with("", "2"), first_, "ann"}}).front();
  auto lock = FileLock::try_acquire(layout_.group_lock(begun.group));
  ASSERT_TRUE(lock);
  lock->announce("a deployment");
  for (int pass = 0; pass < 3; ++pass) EXPECT_GT(reconciler_.pass(), Milliseconds{1000}) << "nobody waits for anything";
  EXPECT_EQ(store().group(begun.group).front().state, DeploymentState::Waiting);
}

TEST_F(Reconcile, TheEndOfADeploymentsProcessIsNoticed) {
  const auto begun =
      store().begin_deployments({{app("blog").id, DeploymentKind::Push, commit_with("", "2"), first_, "ann"}}).front();
  auto ready = make_pipe();
  const auto child = in_child([&] {
    const auto lock = FileLock::acquire(layout_.group_lock(begun.group));
    lock.announce("a deployment");
    ready.write_end.reset();
    pause();
  });
  ready.write_end.reset();
  char end = 0;
  ASSERT_EQ(read(ready.read_end.get(), &end, 1), 0);
  EXPECT_GT(reconciler_.pass(), Milliseconds{1000});
  ASSERT_EQ(reconciler_.deploying().size(), 1U);
  pollfd event{reconciler_.deploying().front().get(), POLLIN, 0};
  EXPECT_EQ(poll(&event, 1, 0), 0);
  kill(child, SIGKILL);
  EXPECT_EQ(poll(&event, 1, kPatience.count()), 1);
  ended(child);
  reconciler_.pass();
  EXPECT_EQ(store().group(begun.group).front().state, DeploymentState::Failed);
  EXPECT_TRUE(reconciler_.deploying().empty());
}

TEST_F(Reconcile, ADeploymentThatCannotBeSettledDoesNotKeepTheOthersFromIt) {
  const auto mine = repo_;
  repo_ = RepoName::parse("lost");
  create_app(platform(), AppName::parse("aaa"), {repo_, branch_});
  const auto begin = [&](const std::string& name) {
    const auto begun = store().begin_deployments({{app(name).id, DeploymentKind::Push, first_, {}, "ann"}}).front();
    store().advance(begun.group, DeploymentState::Running);
    return begun.group;
  };
  const auto lost = begin("aaa");
  store().advance(lost, DeploymentState::Ready);  // so its branch decides
  remove_tree(layout_.repo(repo_));
  repo_ = mine;
  const auto other = begin("blog");
  reconciler_.pass();
  EXPECT_EQ(store().group(lost).front().state, DeploymentState::Ready);
  EXPECT_TRUE(is_final(store().group(other).front().state));
}

TEST_F(Reconcile, AnAppWhoseLockIsHeldIsLeftAlone) {
  auto lock = FileLock::try_acquire(layout_.app_lock(AppName::parse("blog")));
  ASSERT_TRUE(lock);
  const auto begun =
      store().begin_deployments({{app("blog").id, DeploymentKind::Push, commit_with("", "2"), first_, "ann"}}).front();
  store().advance(begun.group, DeploymentState::Running);
  engine().lose(instance("blog.1.web.1"));  // as a deployment without overlap does
  engine().told.clear();
  for (int pass = 0; pass < 3; ++pass) EXPECT_LT(reconciler_.pass(), Milliseconds{1000}) << "it is to come back soon";
  EXPECT_EQ(store().group(begun.group).front().state, DeploymentState::Running);
  EXPECT_TRUE(engine().states().empty());
  lock.reset();
  reconcile();
  check_invariants("when the lock is free");
}

TEST_F(Reconcile, AnEngineThatBreaksOnceIsAskedAgain) {
  push_another();
  engine().fault = FakeEngine::Fault::Throw;
  engine().fault_at = 1;
  EXPECT_NO_THROW(reconciler_.pass());
  reconcile();
  check_invariants("when it works again");
}

TEST_F(Reconcile, WhatAFailedDeploymentDiscardedIsDeletedByTheTidier) {
  Tidier tidier(platform());
  EXPECT_TRUE(tidier.pass());
  engine().unhealthy = "web";
  EXPECT_FALSE(run(push_of(commit_with("", "2"))).outcome.live);
  EXPECT_FALSE(list_directory(layout_.trash()).empty());
  EXPECT_TRUE(tidier.pass());
  EXPECT_TRUE(list_directory(layout_.trash()).empty());
}

}  // namespace
}  // namespace pushrod
