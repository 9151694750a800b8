// From releases to the plans of instances, and from the database to routes and addresses.
#include "deploy/await_end.hh"
#include "deploy/environments.hh"
#include "deploy/plans.hh"
#include "deploy/traffic.hh"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "world.hh"

namespace pushrod {
namespace {

using testing::IsEmpty;

class Instances : public DeployTest {
 protected:
  Instances() { app_.emplace(add_app("blog", "services/api")); }
  Release release(std::map<std::string, std::string> environment = {}) const {
    return {app_->id,
            app_->name,
            14,
            CommitId::parse(std::string(40, 'b')),
            12,
            "python",
            {{.type = ProcessType::parse("web"), .command = "serve", .health = {}},
             {.type = ProcessType::parse("worker"), .command = "work", .health = {}}},
            std::move(environment),
            {},
            {},
            now(),
            app_->source()};
  }
  std::optional<App> app_;
};

TEST_F(Instances, EveryProgramOfAReleaseKnowsItsRelease) {
  const auto made = release({{"A", "1"}});
  const auto process = process_environment(platform(), made, instance("blog.14.web.2"), {}, {});
  const auto command = release_command_environment(platform(), made);
  const auto build = build_environment(platform(), made, {});
  for (const auto& environment : {process, command, build}) {
    EXPECT_EQ(environment.at("A"), "1");
    EXPECT_EQ(environment.at("APP"), "blog");
    EXPECT_EQ(environment.at("RELEASE"), "14");
    EXPECT_EQ(environment.at("GIT_COMMIT"), std::string(40, 'b'));
  }
  EXPECT_EQ(process.at("DATA_DIR"), "/data");
  EXPECT_EQ(command.at("DATA_DIR"), "/data");
  EXPECT_FALSE(build.contains("DATA_DIR")) << "there is no /data in a build";
}

TEST_F(Instances, SettingsOverrideTheBuilderInProcessBuildAndReleaseCommand) {
  auto made = release({{"NODE_ENV", "production"}});
  const auto name = SettingName::parse("NODE_ENV");
  made.settings[name] = {store().vault().seal(app_->id, name, Secret("staging")), false};
  BuildPlan plan;
  plan.build_environment["NODE_ENV"] = "development";
  EXPECT_EQ(process_environment(platform(), made, instance("blog.14.web.1"), {}, {}).at("NODE_ENV"), "staging");
  EXPECT_EQ(build_environment(platform(), made, plan).at("NODE_ENV"), "staging");
  EXPECT_EQ(release_command_environment(platform(), made).at("NODE_ENV"), "staging");
}

TEST_F(Instances, TheirEndIsAwaitedWithPauses) {
  const auto ends = instance("blog.14.web.1"), stays = instance("blog.14.web.2");
  for (const auto& name : {ends, stays}) engine().set(name, "up");
  engine().stop({ends});
  EXPECT_TRUE(await_end(platform(), {ends}, kPatience).empty());
  EXPECT_EQ(engine().unrouted, std::vector{ends}) << "not before it had ended";
  engine().told.clear();
  const auto left = await_end(platform(), {stays}, Milliseconds{50});
  EXPECT_EQ(left, std::vector{stays});
  EXPECT_LE(engine().told.size(), 12U);
}

TEST_F(Instances, AnInstanceGetsItsOwnVariablesAndPort) {
  const auto plan = plan_instance(platform(), release(), {instance("blog.14.web.2"), Port{21001}, {}, {}});
  EXPECT_EQ(plan.name, instance("blog.14.web.2"));
  EXPECT_EQ(plan.process.command, "serve");
  EXPECT_EQ(plan.port, 21001);
  EXPECT_EQ(plan.source.path, "services/api");
  EXPECT_EQ(plan.checkout.directory, layout_.checkout(app_->name, 12).directory);
  EXPECT_EQ(plan.environment.at("PROCESS"), "web");
  EXPECT_EQ(plan.environment.at("INSTANCE"), "blog.14.web.2");
  EXPECT_EQ(plan.environment.at("PORT"), "21001");
}

TEST_F(Instances, AnInstanceKnowsTheLeasesOfItsFurtherPorts) {
  Instance leased{instance("blog.14.web.2"), Port{21001}, {}, {}};
  leased.ports = {{9100, 21003}, {9394, 21002}};
  const auto plan = plan_instance(platform(), release(), leased);
  EXPECT_EQ(plan.environment.at("PORT_9394"), "21002");
  EXPECT_EQ(plan.environment.at("PORT_9100"), "21003");
  EXPECT_EQ(plan.ports, leased.ports);
}

TEST_F(Instances, AnInstanceThatIsNotRoutedHasNoPort) {
  const auto plan = plan_instance(platform(), release(), {instance("blog.14.worker.1"), {}, {}, {}});
  EXPECT_EQ(plan.environment.count("PORT"), 0U);
}

TEST_F(Instances, ThePlanFollowsTheCheckoutToTheKept) {
  make_directory(layout_.kept_checkout(app_->name, 12).directory);
  const auto plan = plan_instance(platform(), release(), {instance("blog.14.worker.1"), {}, {}, {}});
  EXPECT_EQ(plan.checkout.directory, layout_.kept_checkout(app_->name, 12).directory);
}

TEST_F(Instances, AnInstanceOfAnUnknownTypeOrReleaseIsAnError) {
  const Instance cron{instance("blog.14.cron.1"), {}, {}, {}};
  EXPECT_THROW(plan_instance(platform(), release(), cron), Error);
  EXPECT_THROW(plan_instances(platform(), *app_, {cron}), Error);
  EXPECT_THAT(plan_instances(platform(), *app_, {}), IsEmpty());
}

TEST_F(Instances, OnlyServingInstancesWithAPortGetTraffic) {
  add_app("admin");
  const auto begun = store()
                         .begin_deployments({{app_->id, DeploymentKind::Redeploy, CommitId::parse(std::string(40, 'b')),
                                              CommitId::parse(std::string(40, 'b')), "ann"}})
                         .front();
  store().advance(begun.group, DeploymentState::Running);
  auto made = release();
  made.number = begun.number;
  store().add_release(made);
  store().add_instances(made, {}, 21000, 21999, always_free);
  EXPECT_EQ(FakeEngine::rendered(traffic_targets(platform())), "admin.example.org: \nblog.example.org: \n")
      << "they are only starting";
  store().advance(begun.group, DeploymentState::Ready);
  store().commit_group(begun.group);
  EXPECT_EQ(FakeEngine::rendered(traffic_targets(platform())), "admin.example.org: \nblog.example.org: blog.1.web.1\n");
  store().set_instance_state(instance("blog.1.web.1"), InstanceState::Draining);
  EXPECT_EQ(FakeEngine::rendered(traffic_targets(platform())), "admin.example.org: \nblog.example.org: \n");
}

TEST_F(Instances, TheAddressNamesThePortUnlessItIsThatOfHttp) {
  EXPECT_EQ(url_of(platform(), app_->name), "http://blog.example.org:8080");
  here_->settings.http.port = 80;
  EXPECT_EQ(url_of(platform(), app_->name), "http://blog.example.org");
}

}  // namespace
}  // namespace pushrod
