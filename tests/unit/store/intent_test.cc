// What a commit does to the intent of an app: settings, counts, stopped; and which instances go on.
#include <gmock/gmock.h>

#include "fixture.hh"

namespace pushrod {
namespace {

using testing::IsEmpty;
using testing::Pair;
using testing::UnorderedElementsAre;

class Intent : public StoreTest {
 protected:
  AppSettings settings(const std::string& value) {
    return {{SettingName::parse("A"), AppSetting{.sealed = value, .secret = true}}};
  }
  // Deploys a release of this kind, with what `edit` makes of it.
  void deploy_as(const App& app, DeploymentKind kind, const std::function<void(Release&)>& edit,
                 const std::vector<InstanceName>& kept = {}) {
    const auto deployment = begin({app}, kind).front();
    store().advance(deployment.group, DeploymentState::Running);
    auto release = release_of(deployment);
    edit(release);
    store().add_release(release);
    store().add_instances(release, kept, 20000, 29999, always_free);
    store().advance(deployment.group, DeploymentState::Ready);
    store().commit_group(deployment.group);
    store().advance(deployment.group, DeploymentState::Live);
  }
};

TEST_F(Intent, AReleaseKeepsItsSettingsAsBytes) {
  const auto app = add_app("blog");
  const auto values = settings(std::string("a\0\xff", 3));
  deploy_as(app, DeploymentKind::Push, [&](Release& release) { release.settings = values; });
  EXPECT_EQ(store().release(app.id, 1)->settings, values);
}

TEST_F(Intent, APushSetsWhatWasMadeUpForItAndNothingElse) {
  const auto app = add_app("blog");
  const auto made_up = settings("1");
  deploy_as(app, DeploymentKind::Push, [&](Release& release) { release.settings = made_up; });
  EXPECT_EQ(store().settings(app.id), made_up);
  store().set_settings(app.id, {});  // unset for the next release
  deploy_as(app, DeploymentKind::Push, [&](Release& release) { release.settings = made_up; });
  EXPECT_THAT(store().settings(app.id), IsEmpty()) << "the live release had it";
  deploy_as(app, DeploymentKind::Restart, [&](Release& release) { release.settings = settings("2"); });
  EXPECT_THAT(store().settings(app.id), IsEmpty());
}

TEST_F(Intent, ConfigAndRollbackMakeTheReleasesSettingsThoseOfTheApp) {
  const auto app = add_app("blog");
  for (const auto kind : {DeploymentKind::Config, DeploymentKind::Rollback}) {
    const auto values = settings(std::string(to_string(kind)));
    deploy_as(app, kind, [&](Release& release) { release.settings = values; });
    EXPECT_EQ(store().settings(app.id), values);
  }
  deploy_as(app, DeploymentKind::Restart, [](Release&) {});
  EXPECT_EQ(store().settings(app.id), settings("rollback"));
}

TEST_F(Intent, WhatIsSetOrUnsetForTheNextReleaseOutlivesARollback) {
  const auto app = add_app("blog");
  const auto name = [](const char* text) { return SettingName::parse(text); };
  const AppSettings old{
      {name("A"), {"1", false}}, {name("GONE"), {"1", false}}, {name("OLD"), {"1", false, 0, SettingScope::Run}}};
  const AppSettings live{
      {name("A"), {"2", false}}, {name("GONE"), {"1", false}}, {name("NEW"), {"1", false, 0, SettingScope::Build}}};
  deploy_as(app, DeploymentKind::Config, [&](Release& release) { release.settings = live; });
  auto wanted = live;
  wanted.erase(name("GONE"));
  wanted.insert_or_assign(name("LATER"), AppSetting{"1", true});
  store().set_settings(app.id, wanted);
  deploy_as(app, DeploymentKind::Rollback, [&](Release& release) { release.settings = old; });
  EXPECT_EQ(store().release(app.id, 2)->settings, old);
  EXPECT_THAT(store().settings(app.id),
              UnorderedElementsAre(Pair(name("A"), AppSetting{"1", false}),
                                   Pair(name("OLD"), AppSetting{"1", false, 0, SettingScope::Run}),
                                   Pair(name("LATER"), AppSetting{"1", true})));

  // The same name: what is wanted next stays so, too.
  store().set_settings(app.id, {{name("A"), {"3", false}}});
  deploy_as(app, DeploymentKind::Rollback, [&](Release& release) { release.settings = live; });
  EXPECT_THAT(store().settings(app.id),
              UnorderedElementsAre(Pair(name("A"), AppSetting{"3", false}),
                                   Pair(name("NEW"), AppSetting{"1", false, 0, SettingScope::Build})));
}

TEST_F(Intent, ScaleKeepsTheCountsThatTheOperatorSet) {
  const auto app = add_app("blog");
  deploy_as(app, DeploymentKind::Scale, [](Release& release) {
    release.processes = {process("web", 3), process("worker", 2)};
    release.processes.front().is_scaled = true;
  });
  EXPECT_THAT(store().counts(app.id), UnorderedElementsAre(Pair(ProcessType::parse("web"), 3U)));
  EXPECT_TRUE(store().release(app.id, 1)->processes.front().is_scaled);
}

TEST_F(Intent, KeptInstancesServeOnUnderTheirNames) {
  const auto app = add_app("blog");
  deploy({app}, {process("web", 2)});
  deploy_as(app, DeploymentKind::Scale, [](Release& release) { release.processes = {process("web", 3)}; },
            {instance("blog.1.web.1"), instance("blog.1.web.2")});
  EXPECT_EQ(state_of("blog.1.web.1"), InstanceState::Serving);
  EXPECT_EQ(state_of("blog.2.web.3"), InstanceState::Serving);
  EXPECT_EQ(store().instances(app.id).size(), 3U);
  // The next one goes on with one of them only.
  deploy_as(app, DeploymentKind::Scale, [](Release& release) { release.processes = {process("web", 1)}; },
            {instance("blog.1.web.1")});
  EXPECT_EQ(state_of("blog.1.web.1"), InstanceState::Serving);
  EXPECT_EQ(state_of("blog.1.web.2"), InstanceState::Draining);
  EXPECT_EQ(state_of("blog.2.web.3"), InstanceState::Draining);
}

TEST_F(Intent, WhatWasKeptOnceDrainsWithTheNextRelease) {
  const auto app = add_app("blog");
  deploy({app});
  deploy_as(app, DeploymentKind::Scale, [](Release&) {}, {instance("blog.1.web.1")});
  deploy({app});
  EXPECT_EQ(state_of("blog.1.web.1"), InstanceState::Draining);
  EXPECT_EQ(state_of("blog.3.web.1"), InstanceState::Serving);
}

TEST_F(Intent, AsleepInstancesAreGoneWhenTheyAreNotKept) {
  const auto app = add_app("blog");
  deploy({app}, {process("web", 2)});
  store().set_instance_states({instance("blog.1.web.1"), instance("blog.1.web.2")}, InstanceState::Asleep);
  deploy_as(app, DeploymentKind::Scale, [](Release&) {}, {instance("blog.1.web.1")});
  EXPECT_EQ(store().instances(app.id).size(), 1U);
  EXPECT_EQ(state_of("blog.1.web.1"), InstanceState::Asleep);
}

TEST_F(Intent, StopAndStartAreRemembered) {
  const auto app = add_app("blog");
  deploy_as(app, DeploymentKind::Stop, [](Release&) {});
  EXPECT_TRUE(store().app(app.id)->stopped);
  deploy_as(app, DeploymentKind::Push, [](Release&) {});
  EXPECT_TRUE(store().app(app.id)->stopped);
  deploy_as(app, DeploymentKind::Start, [](Release&) {});
  EXPECT_FALSE(store().app(app.id)->stopped);
}

TEST_F(Intent, APushReplacesAPushThatWaitsButNoOtherChange) {
  const auto app = add_app("blog");
  const auto settings = begin({app}, DeploymentKind::Config).front();
  const auto older = begin({app}, DeploymentKind::Push).front();
  begin({app}, DeploymentKind::Push);
  EXPECT_EQ(store().group(settings.group).front().state, DeploymentState::Waiting);
  EXPECT_EQ(store().group(older.group).front().state, DeploymentState::Superseded);
}

}  // namespace
}  // namespace pushrod
