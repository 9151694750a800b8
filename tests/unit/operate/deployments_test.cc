// Deployments: who may see, repeat and cancel them, and the view as JSON.
#include "operate/deployments.hh"

#include "fixtures.hh"

namespace pushrod {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

class Deployments : public OperateTest {
 protected:
  // One that waits, as a row without a process.
  Deployment begin_removal() {
    return store()
        .begin_deployments(
            {{.app_id = app("blog").id, .kind = DeploymentKind::Remove, .commit = {}, .previous = {}, .author = "ann"}})
        .front();
  }
};

TEST_F(Deployments, AreListedNewestFirst) {
  live_app("blog");
  EXPECT_TRUE(run(restart()).outcome.live);
  const auto views = list_deployments(operator_, blog_, 20);
  ASSERT_EQ(views.size(), 2U);
  EXPECT_EQ(views[0].deployment.number, 2U);
  EXPECT_TRUE(views[0].is_current);
  EXPECT_FALSE(views[1].is_current);
  EXPECT_TRUE(views[1].duration().has_value());
  EXPECT_EQ(list_deployments(operator_, blog_, 1).size(), 1U);
}

TEST_F(Deployments, TheirViewIsJson) {
  live_app("blog");
  begin_removal();
  const auto view = require_deployment(operator_, blog_, 2);
  EXPECT_FALSE(view.duration().has_value()) << "it is in progress";
  auto json = to_json(view);
  json.erase("started");
  EXPECT_EQ(json.dump(),
            R"({"app":"blog","number":2,"kind":"remove","state":"waiting","commit":null,"previous_commit":null,)"
            R"("detail":"","author":"ann","ended":null,"error":"","hint":"","steps":[]})");
  const auto steps = to_json(require_deployment(operator_, blog_, 1))["steps"];
  EXPECT_FALSE(steps.empty());
  EXPECT_NE(steps[0]["ended"], nullptr);
}

TEST_F(Deployments, AnUnknownNumberIsRefused) {
  add_app("blog");
  EXPECT_THAT(refusal([&] { require_deployment(operator_, blog_, 1); }), StartsWith("app blog has no deployment 1"));
}

TEST_F(Deployments, ARedeployNeedsACommitOfTheBranch) {
  add_app("blog");
  EXPECT_THAT(refusal([&] { redeploy_change(operator_, blog_); }), HasSubstr("has no commit yet"));
  const auto first = version(1);
  EXPECT_TRUE(run(push_of(first)).outcome.live);
  const auto change = redeploy_change(operator_, blog_);
  EXPECT_EQ(change.kind, DeploymentKind::Redeploy);
  EXPECT_EQ(change.commit, first);
}

TEST_F(Deployments, WithNoneInProgressThereIsNothingToCancel) {
  live_app("blog");
  EXPECT_THAT(refusal([&] { cancel_deployments(operator_, blog_); }),
              StartsWith("no deployment of blog is in progress"));
}

TEST_F(Deployments, OneWhoseProcessHasEndedIsNotCancelled) {
  live_app("blog");
  begin_removal();
  EXPECT_THAT(refusal([&] { cancel_deployments(operator_, blog_); }),
              StartsWith("no deployment of blog is in progress"));
  EXPECT_EQ(last_record(), "cancel deployment 2: failed: it had ended");
}

TEST_F(Deployments, OnePastItsCommitPointIsNotCancelled) {
  live_app("blog");
  engine().on_route = [&] {
    const auto refused = refusal([&] { cancel_deployments(operator_, blog_); });
    EXPECT_THAT(refused, StartsWith("deployment 2 of blog cannot be cancelled: it has already been committed"));
  };
  EXPECT_TRUE(run(restart()).outcome.live);
}

TEST_F(Deployments, OneInProgressIsAskedToEnd) {
  live_app("blog");
  const auto group_lock = layout_.group_lock(begin_removal().group);
  const auto told = make_pipe();
  const pid_t child = in_child([&] {
    const auto lock = FileLock::acquire(group_lock);
    lock.announce("a deployment of blog");
    alarm(20);  // if this test fails
    write_all(told.write_end.get(), "x", "tell");
    pause();
  });
  char byte = 0;
  ASSERT_EQ(read(told.read_end.get(), &byte, 1), 1);
  EXPECT_THAT(cancel_deployments(operator_, blog_), ElementsAre(2U));
  EXPECT_EQ(ended(child), -SIGTERM);
  EXPECT_EQ(last_record(), "cancel deployment 2: done");
}

TEST_F(Deployments, AViewKeySeesThemAndChangesNone) {
  live_app("blog");
  auto& viewer = with_key("vera", Role::View, {blog_});
  EXPECT_EQ(list_deployments(viewer, blog_, 20).size(), 1U);
  EXPECT_THAT(refusal([&] { redeploy_change(viewer, blog_); }), HasSubstr("does not allow that"));
  EXPECT_THAT(refusal([&] { cancel_deployments(viewer, blog_); }), HasSubstr("does not allow that"));
}

TEST_F(Deployments, AKeyForAnotherAppFindsNoApp) {
  live_app("blog");
  auto& stranger = with_key("stan", Role::Admin, {add_app("shop").name});
  EXPECT_THAT(refusal([&] { list_deployments(stranger, blog_, 20); }), StartsWith("there is no app \"blog\""));
  EXPECT_THAT(refusal([&] { require_deployment(stranger, blog_, 1); }), StartsWith("there is no app \"blog\""));
  EXPECT_THAT(refusal([&] { redeploy_change(stranger, blog_); }), StartsWith("there is no app \"blog\""));
  EXPECT_THAT(refusal([&] { cancel_deployments(stranger, blog_); }), StartsWith("there is no app \"blog\""));
}

}  // namespace
}  // namespace pushrod
