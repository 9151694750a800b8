// How much of an app runs, and who may change it.
#include "operate/scale.hh"

#include "fixtures.hh"

namespace pushrod {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

const ProcessType kWeb = ProcessType::parse("web");
const ProcessType kWorker = ProcessType::parse("worker");
const ProcessType kClock = ProcessType::parse("clock");

class Scale : public OperateTest {};

TEST_F(Scale, ChangesTypesOfTheLiveRelease) {
  live_app("blog");
  const auto result = scale(operator_, blog_, {{kWeb, 3}, {kWorker, 1}});
  ASSERT_TRUE(result.change.has_value());
  EXPECT_EQ(result.change->kind, DeploymentKind::Scale);
  EXPECT_EQ(result.change->counts.at(kWeb), 3U);
  EXPECT_THAT(result.change->detail, HasSubstr("web 1 to 3"));
  EXPECT_TRUE(result.kept.empty());
}

TEST_F(Scale, WithoutADifferenceNothingIsDeployed) {
  live_app("blog");
  EXPECT_TRUE(run(*scale(operator_, blog_, {{kWeb, 2}}).change).outcome.live);
  EXPECT_FALSE(scale(operator_, blog_, {{kWeb, 2}}).change.has_value());
  const auto lines = scale_of(operator_, blog_);
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_EQ(to_json(lines[0]).dump(), R"({"type":"web","count":2,"scaled":true,"pending":false})");
  EXPECT_FALSE(lines[1].is_scaled);
}

TEST_F(Scale, AcceptsEveryTypeBeforeTheFirstRelease) {
  add_app("blog");
  const auto result = scale(operator_, blog_, {{kClock, 2}});
  EXPECT_FALSE(result.change.has_value());
  EXPECT_EQ(result.kept, (Counts{{kClock, 2}}));
  EXPECT_EQ(last_record(), "scale clock=2 (for a release that has the type): done");
  EXPECT_TRUE(scale_of(operator_, blog_).at(0).is_pending);
}

TEST_F(Scale, ATypeThatTheReleaseLacksMayOnlyBeKeptFromStarting) {
  live_app("blog");
  EXPECT_THAT(refusal([&] { scale(operator_, blog_, {{kClock, 1}}); }), HasSubstr("clock"));
  EXPECT_EQ(scale(operator_, blog_, {{kClock, 0}}).kept, (Counts{{kClock, 0}}));
  EXPECT_EQ(scale(operator_, blog_, {{kClock, 1}}).kept, (Counts{{kClock, 1}})) << "one is kept for it now";
}

TEST_F(Scale, NeedsTheRightToDeployThisApp) {
  live_app("blog");
  auto& viewer = with_key("vera", Role::View);
  EXPECT_THAT(refusal([&] { scale(viewer, blog_, {{kWeb, 2}}); }), HasSubstr("vera"));
  EXPECT_THAT(refusal([&] { stop_change(viewer, blog_); }), HasSubstr("vera"));
  auto& stranger = with_key("stan", Role::Deploy, {add_app("shop").name});
  EXPECT_THAT(refusal([&] { scale(stranger, blog_, {{kWeb, 2}}); }), StartsWith("there is no app \"blog\""));
  EXPECT_THAT(refusal([&] { restart_change(stranger, blog_, {}); }), StartsWith("there is no app \"blog\""));
}

TEST_F(Scale, StopStartAndRestartFitTheState) {
  add_app("blog");
  EXPECT_THAT(refusal([&] { stop_change(operator_, blog_); }), StartsWith("app blog is not deployed"));
  EXPECT_TRUE(run(push_of(version(1))).outcome.live);
  EXPECT_THAT(refusal([&] { start_change(operator_, blog_); }), StartsWith("app blog is not stopped"));
  EXPECT_EQ(restart_change(operator_, blog_, kWorker).detail, "worker");
  EXPECT_TRUE(run(stop_change(operator_, blog_)).outcome.live);
  EXPECT_THAT(refusal([&] { stop_change(operator_, blog_); }),
              StartsWith("app blog is already stopped | run it again: start blog"));
  EXPECT_THAT(refusal([&] { restart_change(operator_, blog_, {}); }), StartsWith("app blog is stopped"));
  EXPECT_EQ(start_change(operator_, blog_).kind, DeploymentKind::Start);
}

TEST_F(Scale, ARestartOfNothingIsRefused) {
  live_app("blog");
  EXPECT_TRUE(run(*scale(operator_, blog_, {{kWorker, 0}}).change).outcome.live);
  EXPECT_THAT(refusal([&] { restart_change(operator_, blog_, kWorker); }), HasSubstr("nothing to restart"));
}

TEST_F(Scale, ADeploymentIsAudited) {
  live_app("blog");
  const auto file = open_file(layout_.root() / "told", O_RDWR | O_CREAT);
  Journal journal(file.get());
  EXPECT_TRUE(deploy_audited(operator_, stop_change(operator_, blog_), journal, -1).live);
  EXPECT_EQ(last_record(), "stop : done");
}

}  // namespace
}  // namespace pushrod
