// Who may sleep, what an interrupted sleep becomes, and when a deployment wakes.
#include "deploy/sleep.hh"

#include <gtest/gtest.h>

#include <thread>

#include "world.hh"

namespace pushrod {
namespace {

constexpr Milliseconds kHalfAnHour{30 * 60'000};

TEST(Sleep, IsForAppsThatAreIdleForLongEnough) {
  EXPECT_TRUE(is_to_sleep({kHalfAnHour, kHalfAnHour, 0, false}));
  EXPECT_FALSE(is_to_sleep({kHalfAnHour, kHalfAnHour - Milliseconds{1}, 0, false}));
}

TEST(Sleep, IsNotForAppsWithAnOpenConnectionOrADeployment) {
  EXPECT_FALSE(is_to_sleep({kHalfAnHour, kHalfAnHour, 1, false}));
  EXPECT_FALSE(is_to_sleep({kHalfAnHour, kHalfAnHour, 0, true}));
}

class Sleepy : public DeployTest {
 protected:
  Sleepy() {
    add_app("blog");
    EXPECT_TRUE(run(push_of(next_version())).outcome.live);
    settle_down();
    engine().idle[AppName::parse("blog")] = {0, kHalfAnHour};
    engine().told.clear();
  }
  CommitId next_version() {
    return commit({{"pushrod.toml", "[processes]\nweb = { command = \"serve\", sleep_after = \"1s\" }\n"},
                   {"version", std::to_string(++version_)}},
                  repository().head_of(branch_));
  }
  InstanceState state() { return store().instances(app("blog").id).front().state; }
  bool is_up() { return engine().states().contains(web_); }
  bool was_told(const std::string& words) {
    const auto& told = engine().told;
    return std::find(told.begin(), told.end(), words) != told.end();
  }
  void put_to_sleep() {
    store().set_instance_state(web_, InstanceState::Asleep);
    engine().lose(web_);
  }
  // As of a daemon that was killed right after the rows were changed.
  void interrupt_sleep() { store().set_instance_state(web_, InstanceState::Asleep); }

  const InstanceName web_ = instance("blog.1.web.1");
  int version_ = 0;
};

TEST_F(Sleepy, AnInterruptedSleepIsFinishedOnceTheRouterKnows) {
  interrupt_sleep();
  engine().on_route = [] { throw Error("the router is gone"); };
  Sleeper(platform()).pass();
  EXPECT_FALSE(was_told("stop blog.1.web.1")) << "it still gets the requests";
  engine().on_route = nullptr;
  Sleeper(platform()).pass();
  EXPECT_EQ(state(), InstanceState::Asleep);
  EXPECT_FALSE(is_up());
}

TEST_F(Sleepy, AnInterruptedSleepIsTakenBackWhileRequestsAreInFlight) {
  interrupt_sleep();
  engine().flights = {{web_, 1}};
  Sleeper(platform()).pass();
  EXPECT_EQ(state(), InstanceState::Serving);
  EXPECT_FALSE(was_told("stop blog.1.web.1"));
}

TEST_F(Sleepy, ARequestThatMeetsAnInterruptedSleepEndsNoOther) {
  interrupt_sleep();
  engine().flights = {{web_, 1}};
  wake(platform(), AppName::parse("blog"));
  EXPECT_EQ(state(), InstanceState::Serving);
  EXPECT_FALSE(was_told("stop blog.1.web.1"));
}

TEST_F(Sleepy, AnAppWhoseSettingsCannotBeOpenedStaysAwake) {
  auto asked = change(DeploymentKind::Config, repository().head_of(branch_));
  const auto name = SettingName::parse("GREETING");
  asked.settings.emplace(name, AppSetting{store().vault().seal(app("blog").id, name, Secret("hello")), false});
  ASSERT_TRUE(run(asked).outcome.live);
  settle_down();
  close();
  remove_file(layout_.settings_key());
  open();
  engine().idle[AppName::parse("blog")] = {0, kHalfAnHour};
  Sleeper sleeper(platform());
  for (const Deadline deadline(Milliseconds{1200}); !deadline.passed();) {
    sleeper.pass();
    std::this_thread::sleep_for(Milliseconds{10});
  }
  EXPECT_EQ(state(), InstanceState::Serving);
}

TEST_F(Sleepy, APushWakesTheOldReleaseBeforeItBuilds) {
  put_to_sleep();
  ASSERT_TRUE(run(push_of(next_version())).outcome.live);
  const auto& told = engine().told;
  const auto place = [&](const std::string& words) {
    return std::find(told.begin(), told.end(), words) - told.begin();
  };
  EXPECT_LT(place("await blog.1.web.1"), place("route"));
  EXPECT_LT(place("route"), place("start blog.2.web.1"));
  settle_down();
  check_invariants("after the push");
}

TEST_F(Sleepy, AFailedPushLeavesTheOldReleaseAwake) {
  put_to_sleep();
  engine().unhealthy = "blog.2.web.1";
  EXPECT_FALSE(run(push_of(next_version())).outcome.live);
  settle_down();
  check_invariants("after the push");
}

TEST_F(Sleepy, AReleaseThatDoesNotWakeKeepsNoPushFromGoingLive) {
  put_to_sleep();
  engine().unhealthy = "blog.1.web.1";
  ASSERT_TRUE(run(push_of(next_version())).outcome.live);
  settle_down();
  check_invariants("after the push");
}

TEST_F(Sleepy, WhatEndsAnAppDoesNotWakeIt) {
  put_to_sleep();
  ASSERT_TRUE(run(change(DeploymentKind::Stop, repository().head_of(branch_))).outcome.live);
  EXPECT_FALSE(was_told("start blog.1.web.1"));
}

}  // namespace
}  // namespace pushrod
