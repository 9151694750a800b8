// Watches: what a commit begins, and what ends them.
#include <gmock/gmock.h>

#include "fixture.hh"

namespace pushrod {
namespace {

using testing::IsEmpty;
using testing::SizeIs;

Process watched(const std::string& type) {
  auto made = process(type);
  made.health.watch = Milliseconds{30'000};
  return made;
}

class Watches : public StoreTest {
 protected:
  // The second release of an app that has a web and a worker process; it is watched.
  App deploy_twice(const ProcessTable& processes = {watched("web"), watched("worker")}) {
    const auto app = add_app("blog");
    deploy({app}, processes);
    deploy({app}, processes);
    return app;
  }
  std::int64_t group_of(const App& app) { return store().watch(app.id).value().group; }
};

TEST_F(Watches, BeginWithTheSecondRelease) {
  const auto app = add_app("blog");
  deploy({app}, {watched("web")});
  EXPECT_THAT(store().watches(), IsEmpty()) << "there is nothing to fall back to";
  deploy({app}, {watched("web")});
  const auto watch = store().watch(app.id).value();
  EXPECT_EQ(watch.release, 2U);
  EXPECT_EQ(watch.previous, 1U);
  EXPECT_EQ(watch.app, app.name);
  EXPECT_FALSE(watch.is_failing());
}

TEST_F(Watches, KeepRoutedInstancesOnStandbyAndDrainTheOthers) {
  deploy_twice();
  EXPECT_EQ(state_of("blog.1.web.1"), InstanceState::Standby);
  EXPECT_EQ(state_of("blog.1.worker.1"), InstanceState::Draining);
  EXPECT_EQ(state_of("blog.2.web.1"), InstanceState::Serving);
}

TEST_F(Watches, DoNotKeepWhatMustNotRunTwice) {
  auto web = watched("web");
  web.overlap = false;
  deploy_twice({web});
  EXPECT_EQ(state_of("blog.1.web.1"), InstanceState::Draining);
}

TEST_F(Watches, DoNotBeginWhereTheProcessesSaySo) {
  const auto app = deploy_twice({process("web")});
  EXPECT_EQ(store().watch(app.id).has_value(), false);
  EXPECT_EQ(state_of("blog.1.web.1"), InstanceState::Draining);
}

TEST_F(Watches, OfAGroupBeginTogetherOrNotAtAll) {
  const auto old = add_app("blog"), fresh = add_app("admin");
  deploy({old}, {watched("web")});
  deploy({old, fresh}, {watched("web")});
  EXPECT_THAT(store().watches(), IsEmpty()) << "the branch cannot go back: admin has nothing to go back to";
  deploy({old, fresh}, {watched("web")});
  EXPECT_THAT(store().watches(), SizeIs(2));
}

TEST_F(Watches, EndWithTheirStandbyDraining) {
  const auto app = deploy_twice();
  store().end_watch(group_of(app));
  EXPECT_THAT(store().watches(), IsEmpty());
  EXPECT_EQ(state_of("blog.1.web.1"), InstanceState::Draining);
}

TEST_F(Watches, GoOnWithoutTheirStandby) {
  const auto app = deploy_twice();
  store().release_standby(group_of(app));
  EXPECT_THAT(store().watches(), SizeIs(1));
  EXPECT_EQ(state_of("blog.1.web.1"), InstanceState::Draining);
}

TEST_F(Watches, RememberTheFirstReasonOfTheirFailure) {
  const auto app = deploy_twice();
  store().fail_watch(group_of(app), "web.1 ended");
  store().fail_watch(group_of(app), "worker.1 ended");
  EXPECT_EQ(store().watch(app.id)->failure, "web.1 ended");
}

TEST_F(Watches, EndWithAFallbackThatTakesTheStandbyBack) {
  const auto app = deploy_twice();
  const auto deployment = begin({app}, DeploymentKind::Fallback).front();
  store().advance(deployment.group, DeploymentState::Running);
  auto release = release_of(deployment, {watched("web"), watched("worker")});
  store().add_release(release);
  store().add_instances(release, {instance("blog.1.web.1")}, 20000, 29999, always_free);
  store().advance(deployment.group, DeploymentState::Ready);
  store().commit_group(deployment.group);
  EXPECT_THAT(store().watches(), IsEmpty());
  EXPECT_EQ(state_of("blog.1.web.1"), InstanceState::Serving);
  EXPECT_EQ(state_of("blog.2.web.1"), InstanceState::Draining);
  EXPECT_EQ(state_of("blog.3.worker.1"), InstanceState::Serving);
  EXPECT_EQ(store().app(app.id)->live, 3U);
}

TEST_F(Watches, GoWithTheirApp) {
  const auto app = deploy_twice();
  for (const auto& row : store().instances()) store().remove_instance(row.name);
  store().remove_app(app.id);
  EXPECT_THAT(store().watches(), IsEmpty());
  EXPECT_EQ(store().integrity(), "ok");
}

}  // namespace
}  // namespace pushrod
