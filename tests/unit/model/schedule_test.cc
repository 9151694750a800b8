// Schedules: what is read, what is refused, and when the next run is due, above all where local time jumps.
#include "model/schedule.hh"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <vector>

#include "base/error.hh"
#include "base/text.hh"

namespace pushrod {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

WallTime utc(int year, unsigned month, unsigned day, int hour = 0, int minute = 0, int second = 0) {
  return std::chrono::sys_days(std::chrono::year(year) / static_cast<int>(month) / static_cast<int>(day)) +
         std::chrono::hours(hour) + std::chrono::minutes(minute) + std::chrono::seconds(second);
}

std::string next(const std::string& schedule, WallTime after, const std::string& zone = "UTC") {
  const auto due = next_due(Schedule::parse(schedule), *TimeZone::find(zone), after);
  return due ? format_time(*due) : "never";
}

std::vector<std::string> next_times(unsigned count, const std::string& schedule, WallTime after,
                                    const std::string& zone) {
  std::vector<std::string> times;
  const auto parsed = Schedule::parse(schedule);
  while (times.size() < count) {
    const auto due = next_due(parsed, *TimeZone::find(zone), after);
    if (!due) break;
    times.push_back(format_time(*due));
    after = *due;
  }
  return times;
}

UserError refusal(const std::string& schedule) {
  try {
    Schedule::parse(schedule);
  } catch (const UserError& error) {
    return error;
  }
  ADD_FAILURE() << schedule << " was accepted";
  return UserError("");
}

TEST(Schedule, IsDueAtTheNextMinuteThatMatchesAndNeverAtThePresentOne) {
  EXPECT_EQ(next("* * * * *", utc(2026, 11, 22, 10, 7, 31)), "2026-11-22 10:08:00");
  EXPECT_EQ(next("7 10 * * *", utc(2026, 11, 22, 10, 7)), "2026-11-23 10:07:00");
  EXPECT_EQ(next("7 10 * * *", utc(2026, 11, 22, 10, 6, 59)), "2026-11-22 10:07:00");
  EXPECT_EQ(next("0 0 1 1 *", utc(2026, 1, 1)), "2027-01-01 00:00:00");
}

TEST(Schedule, ReadsListsRangesStepsAndNames) {
  EXPECT_THAT(next_times(4, "5,10-12 3 * * *", utc(2026, 1, 1), "UTC"),
              ElementsAre("2026-01-01 03:05:00", "2026-01-01 03:10:00", "2026-01-01 03:11:00", "2026-01-01 03:12:00"));
  EXPECT_THAT(next_times(3, "*/25 * * * *", utc(2026, 1, 1), "UTC"),
              ElementsAre("2026-01-01 00:25:00", "2026-01-01 00:50:00", "2026-01-01 01:00:00"));
  EXPECT_THAT(next_times(3, "0 8-18/5 * * *", utc(2026, 1, 1), "UTC"),
              ElementsAre("2026-01-01 08:00:00", "2026-01-01 13:00:00", "2026-01-01 18:00:00"));
  EXPECT_EQ(next("0 0 * Feb MON", utc(2026, 1, 1)), "2026-02-02 00:00:00");
  EXPECT_EQ(next("0\t0   1  dec  *", utc(2026, 1, 1)), "2026-12-01 00:00:00");
}

TEST(Schedule, TakesSundayAsZeroAndAsSeven) {
  for (const char* sunday : {"0 0 * * 0", "0 0 * * 7", "0 0 * * sun"}) {
    EXPECT_EQ(next(sunday, utc(2026, 11, 23)), "2026-11-29 00:00:00") << sunday;
  }
  EXPECT_THAT(next_times(4, "0 0 * * fri-sun", utc(2026, 11, 23), "UTC"),
              ElementsAre("2026-11-27 00:00:00", "2026-11-28 00:00:00", "2026-11-29 00:00:00", "2026-12-04 00:00:00"));
  EXPECT_EQ(next("0 0 * * 5-7", utc(2026, 11, 28)), "2026-11-29 00:00:00");
  // Sunday is the first day of a step, not both of its numbers.
  EXPECT_THAT(next_times(5, "0 0 * * */2", utc(2026, 11, 21), "UTC"),
              ElementsAre("2026-11-22 00:00:00", "2026-11-24 00:00:00", "2026-11-26 00:00:00", "2026-11-28 00:00:00",
                          "2026-11-29 00:00:00"));
}

TEST(Schedule, MatchesEitherDayWhenBothAreRestricted) {
  // 13 November 2026 is a Friday.
  EXPECT_THAT(next_times(3, "0 0 13 * fri", utc(2026, 11, 7), "UTC"),
              ElementsAre("2026-11-13 00:00:00", "2026-11-20 00:00:00", "2026-11-27 00:00:00"));
  EXPECT_THAT(next_times(2, "0 0 14 * fri", utc(2026, 11, 7), "UTC"),
              ElementsAre("2026-11-13 00:00:00", "2026-11-14 00:00:00"));
}

TEST(Schedule, MatchesBothDaysWhenOneBeginsWithAStar) {
  EXPECT_EQ(next("0 0 13 * *", utc(2026, 11, 14)), "2026-12-13 00:00:00");
  EXPECT_EQ(next("0 0 * * fri", utc(2026, 11, 14)), "2026-11-20 00:00:00");
  // Odd days that are Fridays, as crontab(5) has it.
  EXPECT_THAT(next_times(3, "0 0 */2 * fri", utc(2026, 11, 1), "UTC"),
              ElementsAre("2026-11-13 00:00:00", "2026-11-27 00:00:00", "2026-12-11 00:00:00"));
}

TEST(Schedule, KnowsTheUsualWords) {
  EXPECT_EQ(next("@hourly", utc(2026, 5, 6, 7, 8)), "2026-05-06 08:00:00");
  EXPECT_EQ(next("@daily", utc(2026, 5, 6, 7, 8)), "2026-05-07 00:00:00");
  EXPECT_EQ(next("@midnight", utc(2026, 5, 6, 7, 8)), "2026-05-07 00:00:00");
  EXPECT_EQ(next("@weekly", utc(2026, 5, 6, 7, 8)), "2026-05-10 00:00:00");
  EXPECT_EQ(next("@Monthly", utc(2026, 5, 6, 7, 8)), "2026-06-01 00:00:00");
  EXPECT_EQ(next("@yearly", utc(2026, 5, 6, 7, 8)), "2027-01-01 00:00:00");
  EXPECT_EQ(next("@annually", utc(2026, 5, 6, 7, 8)), "2027-01-01 00:00:00");
  EXPECT_EQ(Schedule::parse(" @daily ").str(), "@daily");
}

TEST(Schedule, FindsLeapDays) {
  EXPECT_EQ(next("0 12 29 2 *", utc(2026, 1, 1)), "2028-02-29 12:00:00");
  EXPECT_EQ(next("0 12 29 2 *", utc(2096, 3, 1)), "2104-02-29 12:00:00");  // 2100 is none
  EXPECT_EQ(next("0 0 29 2 */7", utc(2026, 1, 1)), "2032-02-29 00:00:00");
  EXPECT_EQ(next("0 0 31 * *", utc(2026, 3, 31)), "2026-05-31 00:00:00");
}

TEST(Schedule, RefusesWhatNeverComes) {
  EXPECT_THAT(refusal("0 0 30 2 *").message(), HasSubstr("never comes"));
  EXPECT_THAT(refusal("0 0 31 4,6,9,11 *").message(), HasSubstr("never comes"));
  EXPECT_NO_THROW(Schedule::parse("0 0 30 2 mon"));  // any Monday of February
}

TEST(Schedule, RefusesWhatItDoesNotKnow) {
  EXPECT_THAT(refusal("").message(), HasSubstr("is empty"));
  EXPECT_THAT(refusal("* * * *").message(), HasSubstr("has 4 fields instead of 5"));
  EXPECT_THAT(refusal("0 * * * * *").message(), HasSubstr("has 6 fields instead of 5"));
  EXPECT_THAT(refusal("60 * * * *").message(), HasSubstr("has 60, which is not from 0 to 59"));
  EXPECT_THAT(refusal("* 24 * * *").message(), HasSubstr("hour"));
  EXPECT_THAT(refusal("* * 0 * *").message(), HasSubstr("day of month"));
  EXPECT_THAT(refusal("* * * 13 *").message(), HasSubstr("month"));
  EXPECT_THAT(refusal("* * * * 8").message(), HasSubstr("day of week"));
  EXPECT_THAT(refusal("* * * * monday").message(), HasSubstr("\"monday\""));
  EXPECT_THAT(refusal("-1 * * * *").message(), HasSubstr("minute"));
  EXPECT_THAT(refusal("1,,2 * * * *").message(), HasSubstr("minute"));
  EXPECT_THAT(refusal("? * * * *").message(), HasSubstr("\"?\""));
  EXPECT_THAT(refusal("* * L * *").message(), HasSubstr("\"L\""));
  EXPECT_THAT(refusal("*/0 * * * *").message(), HasSubstr("step"));
  EXPECT_THAT(refusal("*/60 * * * *").message(), HasSubstr("step"));
  EXPECT_THAT(refusal("*/ * * * *").message(), HasSubstr("step"));
  EXPECT_THAT(refusal("5/10 * * * *").hint(), HasSubstr("5-59/10"));
  EXPECT_THAT(refusal("* 22-4 * * *").hint(), HasSubstr("22-23,0-4"));
  EXPECT_THAT(refusal("@reboot").message(), HasSubstr("names no time"));
  EXPECT_THAT(refusal("@fortnightly").hint(), HasSubstr("@weekly"));
  EXPECT_THAT(refusal("@daily 5").message(), HasSubstr("is not known"));
  EXPECT_THAT(refusal(std::string(501, '*')).message(), HasSubstr("at most 500"));
}

// Berlin: on 29 March 2026 at 01:00 UTC the clock goes from 02:00 to 03:00.
TEST(Schedule, InTheGapOfSpringAFixedHourIsDueRightAfterIt) {
  EXPECT_THAT(next_times(3, "30 2 * * *", utc(2026, 3, 28, 0), "Europe/Berlin"),
              ElementsAre("2026-03-28 01:30:00", "2026-03-29 01:00:00", "2026-03-30 00:30:00"));
  // Several times in the gap are one.
  EXPECT_THAT(next_times(3, "10,50 2 * * *", utc(2026, 3, 28, 12), "Europe/Berlin"),
              ElementsAre("2026-03-29 01:00:00", "2026-03-30 00:10:00", "2026-03-30 00:50:00"));
  // And one with what is due at that minute anyway.
  EXPECT_THAT(next_times(2, "0 2,3 * * *", utc(2026, 3, 28, 12), "Europe/Berlin"),
              ElementsAre("2026-03-29 01:00:00", "2026-03-30 00:00:00"));
  // The wrong day of the week, or an hour beside the gap, is not drawn into it.
  EXPECT_EQ(next("30 2 * * mon", utc(2026, 3, 28, 12), "Europe/Berlin"), "2026-03-30 00:30:00");
  EXPECT_EQ(next("30 3 * * *", utc(2026, 3, 28, 12), "Europe/Berlin"), "2026-03-29 01:30:00");
  EXPECT_EQ(next("30 1 * * *", utc(2026, 3, 28, 12), "Europe/Berlin"), "2026-03-29 00:30:00");
}

TEST(Schedule, InTheGapOfSpringOneWithoutFixedHoursGoesByTheTimeThatPasses) {
  EXPECT_THAT(next_times(3, "30 * * * *", utc(2026, 3, 29, 0), "Europe/Berlin"),
              ElementsAre("2026-03-29 00:30:00", "2026-03-29 01:30:00", "2026-03-29 02:30:00"));
  EXPECT_THAT(next_times(2, "0 */2 * * *", utc(2026, 3, 28, 23), "Europe/Berlin"),
              ElementsAre("2026-03-29 02:00:00", "2026-03-29 04:00:00"));
}

// Berlin: on 25 October 2026 at 01:00 UTC the clock goes from 03:00 back to 02:00.
TEST(Schedule, InTheRepeatedHourOfAutumnAFixedHourIsDueOnce) {
  EXPECT_THAT(next_times(3, "30 2 * * *", utc(2026, 10, 24, 12), "Europe/Berlin"),
              ElementsAre("2026-10-25 00:30:00", "2026-10-26 01:30:00", "2026-10-27 01:30:00"));
  EXPECT_THAT(next_times(3, "0 2,3 * * *", utc(2026, 10, 24, 12), "Europe/Berlin"),
              ElementsAre("2026-10-25 00:00:00", "2026-10-25 02:00:00", "2026-10-26 01:00:00"));
  // Asked in the middle of the second pass, too.
  EXPECT_EQ(next("30 2 * * *", utc(2026, 10, 25, 1, 10), "Europe/Berlin"), "2026-10-26 01:30:00");
}

TEST(Schedule, InTheRepeatedHourOfAutumnOneWithoutFixedHoursIsDueInBoth) {
  EXPECT_THAT(next_times(4, "30 * * * *", utc(2026, 10, 25, 0), "Europe/Berlin"),
              ElementsAre("2026-10-25 00:30:00", "2026-10-25 01:30:00", "2026-10-25 02:30:00", "2026-10-25 03:30:00"));
}

// New York: 8 March 2026 at 07:00 UTC from 02:00 to 03:00; 1 November 2026 at 06:00 UTC from 02:00 back to 01:00.
TEST(Schedule, FollowsNewYork) {
  EXPECT_THAT(next_times(3, "15 2 * * *", utc(2026, 3, 7, 0), "America/New_York"),
              ElementsAre("2026-03-07 07:15:00", "2026-03-08 07:00:00", "2026-03-09 06:15:00"));
  EXPECT_THAT(next_times(3, "15 1 * * *", utc(2026, 10, 31, 0), "America/New_York"),
              ElementsAre("2026-10-31 05:15:00", "2026-11-01 05:15:00", "2026-11-02 06:15:00"));
  EXPECT_THAT(next_times(3, "15 * * * *", utc(2026, 11, 1, 5), "America/New_York"),
              ElementsAre("2026-11-01 05:15:00", "2026-11-01 06:15:00", "2026-11-01 07:15:00"));
  EXPECT_EQ(next("@daily", utc(2026, 11, 1, 5), "America/New_York"), "2026-11-02 05:00:00");
}

// Lord Howe's clock moves by half an hour: 4 October 2026 (15:30 UTC the day before) from 02:00 to 02:30, and 5 April
// 2026 (15:00 UTC the day before) from 02:00 back to 01:30.
TEST(Schedule, FollowsLordHowesHalfHour) {
  EXPECT_EQ(next("15 2 * * *", utc(2026, 10, 3, 0), "Australia/Lord_Howe"), "2026-10-03 15:30:00");
  EXPECT_EQ(next("40 2 * * *", utc(2026, 10, 3, 0), "Australia/Lord_Howe"), "2026-10-03 15:40:00");
  EXPECT_THAT(next_times(2, "45 1 * * *", utc(2026, 4, 4, 0), "Australia/Lord_Howe"),
              ElementsAre("2026-04-04 14:45:00", "2026-04-05 15:15:00"));
  EXPECT_THAT(next_times(3, "*/15 * * * *", utc(2026, 4, 4, 14, 40), "Australia/Lord_Howe"),
              ElementsAre("2026-04-04 14:45:00", "2026-04-04 15:00:00", "2026-04-04 15:15:00"));
}

// Samoa left out 30 December 2011: a day is no daylight saving, and who wants the 30th waits for the next one.
TEST(Schedule, DoesNotMakeUpForADayThatNeverWas) {
  EXPECT_EQ(next("0 12 30 12 *", utc(2011, 12, 1), "Pacific/Apia"), "2012-12-29 22:00:00");
}

TEST(Schedule, GivesEachDayOfAYearOfAnyZoneItsFixedHour) {
  for (const char* zone : {"Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata", "UTC"}) {
    EXPECT_EQ(next_times(400, "30 2 * * *", utc(2026, 1, 1), zone).size(), 400u);
    const auto times = next_times(366, "30 2 * * *", utc(2026, 1, 1), zone);
    std::set<std::string> days;
    for (const auto& time : times) days.insert(time.substr(0, 10));
    EXPECT_GE(days.size(), 365u) << zone;
  }
}

TEST(TimeZone, KnowsWhatTheSystemKnows) {
  EXPECT_TRUE(TimeZone::find("Europe/Berlin"));
  EXPECT_EQ(TimeZone::find("Europe/Berlin")->name(), "Europe/Berlin");
  EXPECT_FALSE(TimeZone::find("Mars/Olympus"));
  EXPECT_FALSE(TimeZone::find("../../../etc/passwd"));
  EXPECT_FALSE(TimeZone::find(""));
  EXPECT_FALSE(TimeZone::of_server().name().empty());
}

}  // namespace
}  // namespace pushrod
