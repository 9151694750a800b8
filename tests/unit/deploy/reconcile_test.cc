// The reconciler: what it brings about, and what it leaves alone.
#include "deploy/reconcile.hh"

#include <gtest/gtest.h>

#include "deploy/deploy.hh"
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
  reconciler_.pass();
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
  create_app(platform(), AppName::parse("aaa"), repo_, branch_, "");
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

TEST_F(Reconcile, ADeploymentWhoseProcessLivesIsLeftAlone) {
  const auto begun =
      store().begin_deployments({{app("blog").id, DeploymentKind::Push, commit_with("", "2"), first_, "ann"}}).front();
  auto lock = FileLock::try_acquire(layout_.group_lock(begun.group));
  ASSERT_TRUE(lock);
  for (int pass = 0; pass < 3; ++pass) reconciler_.pass();
  EXPECT_EQ(store().group(begun.group).front().state, DeploymentState::Waiting);
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
  EXPECT_FALSE(Tidier(platform()).pass());
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
