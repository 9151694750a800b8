// Which lines of a log are wanted.
#include "logs/filter.hh"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.hh"
#include "base/text.hh"

namespace pushrod {
namespace {

using testing::HasSubstr;

std::string refusal(const std::string& since, const std::string& pattern) {
  try {
    LogFilter filter(since, pattern);
  } catch (const UserError& error) {
    return error.message();
  }
  return "(taken)";
}

TEST(LogFilter, SinceIsAnAgeOrAPointInTime) {
  const auto now = *parse_time("2026-11-22 15:00");
  EXPECT_EQ(parse_since("10m", now), *parse_time("2026-11-22 14:50"));
  EXPECT_EQ(parse_since("1d12h", now), *parse_time("2026-11-21 03:00"));
  EXPECT_EQ(parse_since("2026-11-01 00:00", now), *parse_time("2026-11-01"));
  EXPECT_EQ(parse_since("2026-11-22T15:00:00+01:00", now), *parse_time("2026-11-22 14:00"));
}

TEST(LogFilter, WhatIsNoPointInTimeIsRefused) {
  for (const char* text : {"10", "yesterday", "-5m", "2026", "5m10m", "10000000d", "2026-11-31"}) {
    EXPECT_THAT(refusal(text, ""), HasSubstr("is not a point in time")) << text;
  }
}

TEST(LogFilter, EmptyWantsEverything) {
  const LogFilter filter("", "");
  EXPECT_TRUE(filter.wants(from_epoch_milliseconds(0), "anything"));
}

TEST(LogFilter, WantsLinesSinceTheTimeThatMatch) {
  const LogFilter filter("2026-11-22 15:00", "err(or)?\\b");
  const auto time = *parse_time("2026-11-22 15:00");
  EXPECT_TRUE(filter.wants(time, "an error here"));
  EXPECT_FALSE(filter.wants(time, "an erratum"));
  EXPECT_FALSE(filter.wants(time - Milliseconds{1}, "an error here"));
}

TEST(LogFilter, MatchesWhatPeopleSee) {
  const LogFilter filter("", "^two words$");
  EXPECT_TRUE(filter.matches("two \x1b[31mwords\x1b[0m"));
  EXPECT_TRUE(LogFilter("", "(?i)größe").matches("GRÖßE: 3"));
  EXPECT_TRUE(LogFilter("", "end").matches("\xc3\x28 end")) << "a line need not be UTF-8";
}

TEST(LogFilter, WhatIsNoPatternIsRefused) {
  EXPECT_THAT(refusal("", "(open"), HasSubstr("is not a pattern: missing )"));
  EXPECT_THAT(refusal("", "\xff"), HasSubstr("is not a pattern"));
  EXPECT_THAT(refusal("", "(a{1000}){1000}"), HasSubstr("is not a pattern"));
  EXPECT_THAT(refusal("", std::string(1001, 'a')), HasSubstr("at most"));
}

TEST(LogFilter, PatternsThatBacktrackElsewhereTakeLinearTime) {
  const LogFilter filter("", "(a+)+$");
  const Stopwatch time;
  for (int line = 0; line < 100; ++line) EXPECT_FALSE(filter.matches(std::string(5'000, 'a') + "b"));
  EXPECT_LT(time.elapsed(), Milliseconds{20'000});
}

}  // namespace
}  // namespace pushrod
