// Cron by a clock that is given: what is due, what is made up for, what happens when the clock is set.
#include "deploy/cron.hh"

#include <gmock/gmock.h>

#include "world.hh"

namespace pushrod {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using testing::ElementsAre;
using testing::IsEmpty;

const WallTime kNoon = from_epoch_milliseconds(1'700'049'600'000);  // 2023-11-15 12:00 UTC

CronLook look(const std::string& schedule, WallTime seen, WallTime now) {
  return look_at(Schedule::parse(schedule), *TimeZone::find("UTC"), seen, now - hours{1}, now);
}

TEST(CronLook, SaysWhatIsDueAndWhatIsNext) {
  const auto nothing = look("*/10 * * * *", kNoon, kNoon + minutes{9});
  EXPECT_FALSE(nothing.due);
  EXPECT_EQ(nothing.next, kNoon + minutes{10});
  EXPECT_EQ(nothing.seen, kNoon);
  const auto due = look("*/10 * * * *", kNoon, kNoon + minutes{10});
  EXPECT_EQ(due.due, kNoon + minutes{10});
  EXPECT_EQ(due.seen, kNoon + minutes{10});
  EXPECT_EQ(due.next, kNoon + minutes{20});
}

TEST(CronLook, MakesUpOnceForWhatPassedWithinAnHour) {
  EXPECT_EQ(look("*/10 * * * *", kNoon, kNoon + minutes{55}).due, kNoon + minutes{50});
  EXPECT_EQ(look("0 13 * * *", kNoon, kNoon + minutes{119}).due, kNoon + hours{1});
  EXPECT_FALSE(look("0 13 * * *", kNoon, kNoon + minutes{121}).due);
}

TEST(CronLook, AClockThatGoesForwardAYearBringsOneRun) {
  const auto later = kNoon + hours{24 * 365};
  EXPECT_EQ(look("* * * * *", kNoon, later).due, later);
  EXPECT_FALSE(look("0 3 * * *", kNoon, later).due);
  EXPECT_EQ(look("0 3 * * *", kNoon, later).next, later + hours{15});
}

TEST(CronLook, AClockThatGoesBackAnHourDoublesNoFixedHourAndStopsNothing) {
  const auto fixed = look("30 11 * * *", kNoon - minutes{30}, kNoon - hours{1});
  EXPECT_FALSE(fixed.due);
  EXPECT_EQ(fixed.next, kNoon - minutes{30} + hours{24});
  const auto often = look("*/10 * * * *", kNoon, kNoon - hours{1});
  EXPECT_FALSE(often.due);
  EXPECT_EQ(often.next, kNoon - minutes{50});
  EXPECT_EQ(often.seen, kNoon - hours{1});
}

TEST(CronLook, AClockThatGoesBackAYearStopsNothing) {
  const auto earlier = kNoon - hours{24 * 365};
  EXPECT_EQ(look("30 11 * * *", kNoon, earlier).next, earlier + minutes{23 * 60 + 30});
  EXPECT_EQ(look("30 11 * * *", kNoon, earlier).seen, earlier);
}

TEST(CronLook, ASecondBackDoublesNothing) {
  EXPECT_EQ(look("* * * * *", kNoon, kNoon - std::chrono::seconds{1}).next, kNoon + minutes{1});
}

class CronTest : public DeployTest {
 protected:
  CronTest() { add_app("blog"); }
  void push(const std::string& overlap = "skip", const std::string& schedule = "*/10 * * * *") {
    const auto manifest = fmt::format(
        "[processes]\nweb = \"serve\"\n[[cron]]\nname = \"clean\"\nschedule = \"{}\"\ncommand = \"./clean\"\n"
        "overlap = \"{}\"\ntimezone = \"UTC\"\n",
        schedule, overlap);
    ASSERT_TRUE(run(push_of(commit({{"pushrod.toml", manifest}}, repository().head_of(branch_)))).outcome.live);
  }
  std::optional<WallTime> pass(WallTime now) {
    CronClock clock(platform(), [&](const JobRequest& request) {
      EXPECT_EQ(request.kind, JobKind::Cron);
      EXPECT_EQ(request.author, "cron");
      EXPECT_THAT(request.command, ElementsAre("/bin/sh", "-c", "./clean"));
      started_.push_back(request.name);
    });
    return clock.pass(now);
  }
  std::vector<std::string> started_;
};

TEST_F(CronTest, NothingIsDueForAnAppWithoutCronJobs) {
  EXPECT_FALSE(pass(kNoon));
  EXPECT_THAT(started_, IsEmpty());
}

TEST_F(CronTest, BeginsWithTheReleaseAndRunsWhatIsDueOnce) {
  push();
  EXPECT_EQ(pass(kNoon), kNoon + minutes{10});
  EXPECT_THAT(started_, IsEmpty());
  EXPECT_EQ(pass(kNoon + minutes{10}), kNoon + minutes{20});
  EXPECT_EQ(pass(kNoon + minutes{10}), kNoon + minutes{20});
  EXPECT_THAT(started_, ElementsAre("clean"));
}

TEST_F(CronTest, AnotherScheduleBeginsAnew) {
  push();
  pass(kNoon);
  push("skip", "55 * * * *");
  EXPECT_EQ(pass(kNoon + minutes{58}), kNoon + minutes{115});
  EXPECT_THAT(started_, IsEmpty());
}

TEST_F(CronTest, WaitsWhileADatabaseOfTheAppIsMovedAndIsMadeUpFor) {
  push();
  pass(kNoon);
  const auto service =
      store().add_service({.name = ServiceName::parse("db"), .type = "postgres", .version = "15", .memory = 1});
  store().set_attachment({.service = service.id, .app_id = app("blog").id, .app = "blog"});
  store().set_service_upgrade(service.id, "15 mark");
  EXPECT_LT(pass(kNoon + minutes{11}), kNoon + minutes{12});
  EXPECT_THAT(started_, IsEmpty());
  store().set_service_upgrade(service.id, "");
  EXPECT_EQ(pass(kNoon + minutes{11}), kNoon + minutes{20});
  EXPECT_THAT(started_, ElementsAre("clean"));
}

TEST_F(CronTest, SkipsWhileTheRunBeforeHasNotEnded) {
  push("skip");
  pass(kNoon);
  store().add_job(app("blog").id, JobKind::Cron, "clean", {"x"}, "cron");
  pass(kNoon + minutes{10});
  EXPECT_THAT(started_, IsEmpty());
  store().end_job(store().running_jobs().front().id, 0, "exit code 0");
  pass(kNoon + minutes{11});
  EXPECT_THAT(started_, IsEmpty()) << "what is skipped is not made up for";
}

TEST_F(CronTest, WaitsForTheRunBefore) {
  push("wait");
  pass(kNoon);
  store().add_job(app("blog").id, JobKind::Cron, "clean", {"x"}, "cron");
  pass(kNoon + minutes{10});
  pass(kNoon + minutes{30});
  EXPECT_THAT(started_, IsEmpty());
  store().end_job(store().running_jobs().front().id, 0, "exit code 0");
  pass(kNoon + minutes{31});
  pass(kNoon + minutes{32});
  EXPECT_THAT(started_, ElementsAre("clean"));
}

TEST_F(CronTest, OverlapsWhereThatIsAllowed) {
  push("allow");
  pass(kNoon);
  store().add_job(app("blog").id, JobKind::Cron, "clean", {"x"}, "cron");
  pass(kNoon + minutes{10});
  EXPECT_THAT(started_, ElementsAre("clean"));
}

TEST_F(CronTest, WhatIsNotDeployedAnyMoreRunsNothing) {
  push();
  pass(kNoon);
  run(removal());
  EXPECT_FALSE(pass(kNoon + minutes{10}));
  EXPECT_THAT(started_, IsEmpty());
  EXPECT_THAT(store().cron_states(app("blog").id), IsEmpty());
}

TEST_F(CronTest, ARunThatCannotStartIsNotRetriedEndlessly) {
  push();
  pass(kNoon);
  CronClock clock(platform(), [](const JobRequest&) { throw Error("no"); });
  EXPECT_EQ(clock.pass(kNoon + minutes{10}), kNoon + minutes{20});
  EXPECT_EQ(pass(kNoon + minutes{11}), kNoon + minutes{20});
  EXPECT_THAT(started_, IsEmpty());
}

}  // namespace
}  // namespace pushrod
