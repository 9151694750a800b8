// The pipeline on a real database and a real repository: what goes live, what fails, and that a failure leaves nothing.
#include "deploy/deploy.hh"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pipeline.hh"

namespace pushrod {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

TEST_F(Pipeline, ReportsLimitsThatTheMachineCannotEnforce) {
  engine().not_kept = {"cpu is not limited", "memory is limited per process"};
  EXPECT_THAT(run(push_of(*first_)).text,
              HasSubstr("limits of blog: cpu is not limited, memory is limited per process on this machine"));
}

TEST_F(Pipeline, AFirstPushGoesLive) {
  const auto told = run(push_of(*first_));
  EXPECT_TRUE(told.outcome.live);
  EXPECT_EQ(told.outcome.refusal, "");
  EXPECT_EQ(repository().head_of(branch_), first_);
  EXPECT_EQ(app("blog").live, 1U);
  EXPECT_EQ(newest().state, DeploymentState::Live);
  EXPECT_THAT(told.text, HasSubstr("-----> Deploying blog at " + abbreviated(*first_) + " \"version 1\"\n"));
  EXPECT_THAT(told.text, HasSubstr("-----> Starting web.1, worker.1\n       done in "));
  EXPECT_THAT(told.text, HasSubstr("-----> Release 1 of blog is live after "));
  EXPECT_THAT(told.text, HasSubstr(": http://blog.example.org:8080\n"));
  EXPECT_EQ(engine().routes(), "blog.example.org: blog.1.web.1\n");
  EXPECT_EQ(git({"symbolic-ref", "HEAD"}), "refs/heads/main");
  // The log has what the person saw.
  EXPECT_EQ(read_file(layout_.deployment_log(AppName::parse("blog"), 1)), told.text);
  reconcile();
  check_invariants("after the first push");
}

TEST_F(Pipeline, ASecondPushReplacesTheFirst) {
  deploy_first();
  const auto second = version(2, first_);
  EXPECT_TRUE(run(push_of(second)).outcome.live);
  EXPECT_EQ(engine().routes(), "blog.example.org: blog.2.web.1\n");
  EXPECT_EQ(read_file(layout_.checkout(AppName::parse("blog"), 2).tree() / "version"), "2");
  // The old ones only drain; to end them is the reconciler's business.
  EXPECT_EQ(engine().states().at(instance("blog.1.web.1")), "up");
  reconcile();
  check_invariants("after the second push");
  EXPECT_THAT(list_directory(layout_.releases(AppName::parse("blog"))), ElementsAre("1"));
}

TEST_F(Pipeline, AReleaseIsMadeAvailableBeforeItsInstancesAreStarted) {
  EXPECT_TRUE(run(push_of(*first_)).outcome.live);
  EXPECT_EQ(engine().provided,
            (std::map<InstanceName, bool>{{instance("blog.1.web.1"), false}, {instance("blog.1.worker.1"), false}}));
}

TEST_F(Pipeline, TheNewInstancesAreHealthyBeforeTheRefMovesAndRoutedAfterwards) {
  deploy_first();
  const auto second = version(2, first_);
  engine().on_await = [&] {
    EXPECT_EQ(repository().head_of(branch_), first_);
    EXPECT_EQ(engine().routes(), "blog.example.org: blog.1.web.1\n");
  };
  engine().on_route = [&] { EXPECT_EQ(repository().head_of(branch_), second); };
  EXPECT_TRUE(run(push_of(second)).outcome.live);
}

TEST_F(Pipeline, AnUnhealthyInstanceLeavesEverythingAsItWas) {
  deploy_first();
  expect_unchanged_by([&] {
    engine().unhealthy = "worker";
    const auto told = run(push_of(version(2, first_)));
    EXPECT_FALSE(told.outcome.live);
    EXPECT_EQ(told.outcome.refusal, "blog.2.worker.1 ended with exit code 1");
    EXPECT_THAT(told.text, HasSubstr("       Traceback\n       KeyError\n"
                                     " !     blog.2.worker.1 ended with exit code 1\n"
                                     " !     look at its output\n"
                                     " !     full output: logs blog --deployment 2\n"
                                     " !     Nothing has changed: blog runs what it ran before.\n"));
  });
  EXPECT_EQ(newest().state, DeploymentState::Failed);
  EXPECT_EQ(newest().error, "blog.2.worker.1 ended with exit code 1");
  EXPECT_EQ(newest().hint, "look at its output");
}

TEST_F(Pipeline, AFirstPushThatFailsLeavesNothing) {
  expect_unchanged_by([&] {
    engine().unhealthy = "web";
    const auto told = run(push_of(*first_));
    EXPECT_FALSE(told.outcome.live);
    EXPECT_THAT(told.text, HasSubstr(" !     Nothing is deployed: blog is as it was.\n"));
  });
  EXPECT_EQ(repository().head_of(branch_), std::nullopt);
  engine().unhealthy.clear();
  EXPECT_TRUE(run(push_of(*first_)).outcome.live);
  reconcile();
  check_invariants("when it has been pushed again");
}

TEST_F(Pipeline, ACommitWithoutTheAppsDirectoryIsRefused) {
  deploy_first();
  create_app(platform(), AppName::parse("api"), {repo_, BranchName::parse("other"), "services/api"});
  branch_ = BranchName::parse("other");
  expect_unchanged_by([&] {
    const auto told = run(push_of(*first_));
    EXPECT_EQ(told.outcome.refusal, "the app's path \"services/api\" is not a directory in this commit");
  });
}

TEST_F(Pipeline, ACommitThatNamesNoProcessIsRefused) {
  deploy_first();
  expect_unchanged_by([&] {
    const auto told = run(push_of(commit({{"readme", "nothing to run"}}, first_)));
    EXPECT_FALSE(told.outcome.live);
    EXPECT_EQ(newest().steps.back().step, Step::Build);
  });
}

TEST_F(Pipeline, ABuildThatFailsIsRefusedWithItsOutput) {
  deploy_first();
  expect_unchanged_by([&] {
    const auto told = run(push_of(commit(
        {{"Procfile", "web: serve\n"}, {"pushrod.toml", "[build]\ncommand = \"echo compiling; exit 7\"\n"}}, first_)));
    EXPECT_FALSE(told.outcome.live);
    EXPECT_THAT(told.text, HasSubstr("       compiling\n"));
    EXPECT_THAT(told.outcome.refusal, HasSubstr("exit code 7"));
  });
}

TEST_F(Pipeline, AReleaseCommandThatFailsIsRefusedWithItsOutput) {
  deploy_first();
  expect_unchanged_by([&] {
    const auto told = run(push_of(
        commit({{"Procfile", "web: serve\n"}, {"pushrod.toml", "[release]\ncommand = \"echo migrating; exit 8\"\n"}},
               first_)));
    EXPECT_FALSE(told.outcome.live);
    EXPECT_THAT(told.text, HasSubstr("-----> Running the release command\n       migrating\n"));
    EXPECT_THAT(told.outcome.refusal, HasSubstr("exit code 8"));
  });
}

TEST_F(Pipeline, ARedeployBuildsTheSameCommitAgain) {
  deploy_first();
  EXPECT_TRUE(run(redeploy()).outcome.live);
  EXPECT_EQ(store().release(app("blog").id, 2)->checkout, 2U);
  EXPECT_EQ(repository().head_of(branch_), first_);
  reconcile();
  check_invariants("after the redeploy");
}

TEST_F(Pipeline, ARestartMakesANewReleaseOnTheSameCheckout) {
  deploy_first();
  const auto told = run(restart());
  EXPECT_TRUE(told.outcome.live);
  EXPECT_THAT(told.text, HasSubstr("-----> Restarting blog\n"));
  EXPECT_EQ(app("blog").live, 2U);
  EXPECT_EQ(store().release(app("blog").id, 2)->checkout, 1U);
  EXPECT_EQ(engine().routes(), "blog.example.org: blog.2.web.1\n");
  reconcile();
  check_invariants("after the restart");
  EXPECT_THAT(list_directory(layout_.checkouts(AppName::parse("blog"))), ElementsAre("1"));
}

TEST_F(Pipeline, TheRestartOfOneTypeLeavesWhatIsPendingToARestartOfAll) {
  deploy_first();
  const auto id = app("blog").id;
  const AppSettings pending{{SettingName::parse("COLOUR"), {.sealed = "red"}}};
  store().set_settings(id, pending);
  auto worker = restart();
  worker.only = ProcessType::parse("worker");
  ASSERT_TRUE(run(worker).outcome.live);
  EXPECT_TRUE(store().release(id, 2)->settings.empty()) << "web goes on without it";
  EXPECT_EQ(store().settings(id), pending);
  reconcile();
  ASSERT_TRUE(store().settings(id) == pending);
}

TEST_F(Pipeline, ARestartThatFailsKeepsTheSharedCheckout) {
  deploy_first();
  expect_unchanged_by([&] {
    engine().unhealthy = "web";
    EXPECT_FALSE(run(restart()).outcome.live);
  });
  EXPECT_TRUE(is_directory(layout_.checkout(AppName::parse("blog"), 1).tree()));
}

TEST_F(Pipeline, AnAppThatIsNotDeployedCannotBeRestarted) {
  deploy_first();
  auto change = restart();
  change.apps = {add_app("late")};  // the branch is there already, but nothing of this app
  EXPECT_EQ(run(change).outcome.refusal, "app late is not deployed");
}

TEST_F(Pipeline, TheRemovalOfTheBranchStopsItsApp) {
  deploy_first();
  const auto told = run(removal());
  EXPECT_TRUE(told.outcome.live);
  EXPECT_THAT(told.text, HasSubstr("-----> Removing branch \"main\", stopping blog\n"));
  EXPECT_THAT(told.text, HasSubstr("-----> blog is not deployed any more\n"));
  EXPECT_EQ(repository().head_of(branch_), std::nullopt);
  EXPECT_EQ(engine().routes(), "blog.example.org: \n");
  reconcile();
  check_invariants("after the removal");
  EXPECT_TRUE(engine().states().empty());
  EXPECT_TRUE(run(push_of(*first_)).outcome.live);
  reconcile();
  check_invariants("when it has been pushed again");
}

TEST_F(Pipeline, ACancelledDeploymentLeavesEverythingAsItWas) {
  deploy_first();
  expect_unchanged_by([&] {
    const Cancel cancel;
    engine().on_await = [&] { cancel.now(); };
    const auto told = run(push_of(version(2, first_)), cancel.fd());
    EXPECT_FALSE(told.outcome.live);
    EXPECT_EQ(told.outcome.refusal, "cancelled");
  });
  EXPECT_EQ(newest().state, DeploymentState::Cancelled);
}

TEST_F(Pipeline, ACancellationBeforeTheFirstStepIsHeeded) {
  deploy_first();
  expect_unchanged_by([&] {
    const Cancel cancel;
    cancel.now();
    EXPECT_EQ(run(push_of(version(2, first_)), cancel.fd()).outcome.refusal, "cancelled");
  });
  EXPECT_EQ(newest().state, DeploymentState::Cancelled);
}

TEST_F(Pipeline, ACancellationAfterTheCommitPointIsTooLate) {
  deploy_first();
  const Cancel cancel;
  engine().on_route = [&] { cancel.now(); };
  EXPECT_TRUE(run(push_of(version(2, first_)), cancel.fd()).outcome.live);
  EXPECT_EQ(newest().state, DeploymentState::Live);
}

TEST_F(Pipeline, APushOntoABranchThatHasMovedIsRefused) {
  deploy_first();
  auto stale = push_of(version(2, first_));
  ASSERT_TRUE(run(push_of(version(3, first_))).outcome.live);
  const auto moved = repository().head_of(branch_).value();
  reconcile();
  expect_unchanged_by([&] {
    const auto told = run(stale);
    EXPECT_EQ(told.outcome.refusal, fmt::format("branch \"main\" moved to {} in the meantime", abbreviated(moved)));
    EXPECT_THAT(told.text, HasSubstr(" !     fetch it, and try again\n"));
  });
}

TEST_F(Pipeline, APushThatContainsTheNewTipOfTheBranchGoesOn) {
  deploy_first();
  const auto second = version(2, first_);
  auto third = push_of(version(3, second));
  ASSERT_TRUE(run(push_of(second)).outcome.live);
  EXPECT_TRUE(run(third).outcome.live);
  reconcile();
  check_invariants("after both");
}

TEST_F(Pipeline, ARedeployOfACommitThatTheBranchHasLeftIsRefused) {
  deploy_first();
  const auto stale = redeploy();
  ASSERT_TRUE(run(push_of(version(2, first_))).outcome.live);
  EXPECT_THAT(run(stale).outcome.refusal, HasSubstr("moved to"));
}

TEST_F(Pipeline, ADestroyedAppIsNotDeployed) {
  const auto late = push_of(*first_);
  add_app("other");  // keeps the repo
  destroy_app(platform(), app("blog"));
  EXPECT_THROW(run(late), UserError);
}

TEST_F(Pipeline, WhatALibraryThrowsIsAFailureLikeAnyOther) {
  deploy_first();
  expect_unchanged_by([&] {
    engine().on_await = [] { throw std::runtime_error("a library's"); };
    const auto told = run(push_of(version(2, first_)));
    engine().on_await = nullptr;
    EXPECT_EQ(told.outcome.refusal, "a library's");
    EXPECT_THAT(told.text, HasSubstr(" !     a library's\n !     Nothing has changed"));
  });
  EXPECT_EQ(newest().state, DeploymentState::Failed);
}

// The refusal goes to git's client and into the audit, which keys with the role view may read.
TEST_F(Pipeline, ADeploymentWhoseLogCannotBeWrittenFailsLikeAnyOther) {
  const auto logs = layout_.deployment_log(AppName::parse("blog"), 1).parent_path();
  make_directory(logs.parent_path());
  write_file(logs, "not a directory");
  expect_unchanged_by([&] {
    const auto told = run(push_of(*first_));
    EXPECT_FALSE(told.outcome.live);
    EXPECT_THAT(told.outcome.refusal, HasSubstr(logs.native()));
    EXPECT_EQ(newest().state, DeploymentState::Failed);
    EXPECT_EQ(newest().error, told.outcome.refusal);
  });
}

TEST_F(Pipeline, AFailureQuotesNoSecret) {
  deploy_first();
  const auto id = app("blog").id;
  const auto name = SettingName::parse("PASSWORD");
  store().set_settings(id, {{name, {store().vault().seal(id, name, Secret("hunter22")), true}}});
  engine().on_await = [] { throw std::runtime_error("no database at hunter22"); };
  const auto told = run(push_of(version(2, first_)));
  engine().on_await = nullptr;
  EXPECT_EQ(told.outcome.refusal, "no database at [redacted]");
  EXPECT_THAT(told.text, HasSubstr(" !     no database at [redacted]\n"));
  EXPECT_EQ(newest().error, "no database at [redacted]");
}

TEST_F(Pipeline, AFailureToSwitchIsMadeGoodByTheReconciler) {
  deploy_first();
  engine().on_route = [] { throw Error("the router is gone"); };
  const auto told = run(push_of(version(2, first_)));
  EXPECT_TRUE(told.outcome.live) << "the commit point was passed";
  EXPECT_THAT(told.text, HasSubstr(" !     the router is gone\n"
                                   " !     The deployment is committed; Pushrod completes it as soon as possible.\n"));
  EXPECT_THAT(told.text, Not(HasSubstr("Nothing has changed")));
  EXPECT_EQ(newest().state, DeploymentState::Committed);
  engine().on_route = nullptr;
  reconcile();
  EXPECT_EQ(newest().state, DeploymentState::Live);
  check_invariants("after the reconciler");
}

}  // namespace
}  // namespace pushrod
