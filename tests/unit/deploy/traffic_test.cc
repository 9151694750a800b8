// Which mode follows from which rows.
#include "deploy/traffic.hh"

#include <gtest/gtest.h>

namespace pushrod {
namespace {

App blog() { return {1, AppName::parse("blog"), RepoName::parse("blog"), BranchName::parse("main"), "", 14, {}}; }

std::vector<Instance> web(std::initializer_list<InstanceState> states) {
  std::vector<Instance> instances;
  for (const auto state : states) {
    const auto number = static_cast<std::uint32_t>(instances.size() + 1);
    instances.push_back({{AppName::parse("blog"), 14, ProcessType::parse("web"), number}, Port{20001}, state, {}});
  }
  return instances;
}

TEST(TrafficOfAnApp, IsServedWhenNothingIsSaid) {
  EXPECT_EQ(traffic_mode(blog(), web({InstanceState::Serving}), false), TrafficMode::Serve);
  EXPECT_EQ(traffic_mode(blog(), {}, false), TrafficMode::Serve) << "the usual 503 page";
}

TEST(TrafficOfAnApp, WaitsWhileADeploymentOrItsOwnerSaysSo) {
  auto app = blog();
  EXPECT_EQ(traffic_mode(app, web({InstanceState::Serving}), true), TrafficMode::Hold);
  app.maintenance = Maintenance::Hold;
  EXPECT_EQ(traffic_mode(app, web({InstanceState::Asleep}), false), TrafficMode::Hold);
  app.maintenance = Maintenance::Page;
  EXPECT_EQ(traffic_mode(app, web({InstanceState::Serving}), true), TrafficMode::Maintenance);
}

TEST(TrafficOfAnApp, IsStoppedWithTheApp) {
  auto app = blog();
  app.stopped = true;
  EXPECT_EQ(traffic_mode(app, {}, false), TrafficMode::Stopped);
}

TEST(TrafficOfAnApp, WakesItOnlyWhenAllOfItSleeps) {
  EXPECT_EQ(traffic_mode(blog(), web({InstanceState::Asleep, InstanceState::Asleep}), false), TrafficMode::Asleep);
  EXPECT_EQ(traffic_mode(blog(), web({InstanceState::Asleep, InstanceState::Serving}), false), TrafficMode::Serve);
}

}  // namespace
}  // namespace pushrod
