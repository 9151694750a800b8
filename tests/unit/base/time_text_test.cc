// Points in time, read as people and programs write them.
#include <gtest/gtest.h>

#include "base/text.hh"

namespace pushrod {
namespace {

// Milliseconds since the epoch; -1 when it is not a point in time.
std::int64_t read(std::string_view text) {
  const auto time = parse_time(text);
  if (!time) return -1;
  return std::chrono::duration_cast<std::chrono::milliseconds>(time->time_since_epoch()).count();
}

constexpr std::int64_t kDay = 1'795'305'600'000;  // 2026-11-22

TEST(ParseTime, ReadsDatesAndTimesInUtc) {
  EXPECT_EQ(read("2026-11-22"), kDay);
  EXPECT_EQ(read("2026-11-22 15:04"), kDay + (15 * 60 + 4) * 60'000);
  EXPECT_EQ(read("2026-11-22T15:04:05"), kDay + (15 * 60 + 4) * 60'000 + 5'000);
  EXPECT_EQ(read("2026-11-22T15:04:05.123Z"), kDay + (15 * 60 + 4) * 60'000 + 5'123);
  EXPECT_EQ(read("2026-11-22 15:04:05.1239"), kDay + (15 * 60 + 4) * 60'000 + 5'123);
  EXPECT_EQ(read("2024-02-29"), 1'709'164'800'000);
}

TEST(ParseTime, ReadsZones) {
  EXPECT_EQ(read("2026-11-22T01:30+01:00"), kDay + 30 * 60'000);
  EXPECT_EQ(read("2026-11-22T01:30:00-0330"), kDay + 5 * 3'600'000);
}

TEST(ParseTime, ReadsBackWhatFormatTimeWrites) {
  const auto time = *parse_time("2026-03-01 23:59:58");
  EXPECT_EQ(parse_time(format_time(time)), time);
}

TEST(ParseTime, RefusesEverythingElse) {
  for (const char* text : {"",
                           "10m",
                           "2026",
                           "2026-11",
                           "2026-13-01",
                           "2026-02-29",
                           "2026-11-22 ",
                           "2026-11-22 24:00",
                           "2026-11-22 1:00",
                           "2026-11-22 15:60",
                           "2026-11-22 15:04:60",
                           "2026-11-22 15:04:05.",
                           "2026-11-22 15:04 +01:00",
                           "2026-11-22T15:04z",
                           "2026-11-22T15:04+1",
                           "2026-11-22T15:04Zx",
                           "1969-12-31",
                           "9999-01-01",
                           " 2026-11-22",
                           "+026-11-22",
                           "2026-11-22T15:04:05.1234567890"}) {
    EXPECT_EQ(read(text), -1) << text;
  }
}

}  // namespace
}  // namespace pushrod
