// Splitting, numbers with units, suggestions.
#include "base/text.hh"

#include <gtest/gtest.h>

#include <limits>

namespace pushrod {
namespace {

using std::chrono::milliseconds;
using Words = std::vector<std::string>;

TEST(Split, KeepsEmptyParts) {
  EXPECT_EQ(split("a,,b", ','), (Words{"a", "", "b"}));
  EXPECT_EQ(split(",", ','), (Words{"", ""}));
  EXPECT_EQ(split("", ','), (Words{""}));
}

TEST(LinesOf, CountsALastLineWithoutNewline) {
  EXPECT_EQ(lines_of("a\nb\n"), (Words{"a", "b"}));
  EXPECT_EQ(lines_of("a\nb"), (Words{"a", "b"}));
  EXPECT_EQ(lines_of("a\n\n"), (Words{"a", ""}));
  EXPECT_EQ(lines_of("\n"), (Words{""}));
  EXPECT_TRUE(lines_of("").empty());
}

TEST(Join, PutsTheSeparatorBetween) {
  EXPECT_EQ(join({"a", "b", "c"}, ", "), "a, b, c");
  EXPECT_EQ(join({"a"}, ", "), "a");
  EXPECT_EQ(join({}, ", "), "");
}

TEST(Trim, TakesSpaceFromBothEndsOnly) {
  EXPECT_EQ(trim(" \t a b \r\n"), "a b");
  EXPECT_EQ(trim(" \n "), "");
  EXPECT_EQ(trim(""), "");
}

TEST(ParseUnsigned, AcceptsDigitsOnly) {
  EXPECT_EQ(parse_unsigned("0"), 0U);
  EXPECT_EQ(parse_unsigned("007"), 7U);
  EXPECT_EQ(parse_unsigned("18446744073709551615"), std::numeric_limits<std::uint64_t>::max());
  for (const char* refused : {"", "-1", "+1", " 1", "1 ", "0x10", "1e3", "18446744073709551616", "١"}) {
    EXPECT_FALSE(parse_unsigned(refused)) << refused;
  }
}

TEST(ParseDuration, ReadsEachUnitAndTheirSum) {
  const std::vector<std::pair<const char*, std::int64_t>> table{
      {"0", 0},
      {"30", 30'000},
      {"30s", 30'000},
      {"500ms", 500},
      {"2m", 120'000},
      {"1h", 3'600'000},
      {"1h30m", 5'400'000},
      {"1d", 86'400'000},
      {"1m500ms", 60'500},
      {"1d1h1m1s1ms", 90'061'001},
      {"90m", 5'400'000},
      {"0s", 0},
      {"1s1ms", 1'001},
  };
  for (const auto& [text, expected] : table) EXPECT_EQ(parse_duration(text), milliseconds(expected)) << text;
}

TEST(ParseDuration, RefusesWhatIsNotOne) {
  for (const char* refused : {"",
                              "s",
                              "-1s",
                              "1.5s",
                              " 1s",
                              "1s ",
                              "1 s",
                              "1S",
                              "1w",
                              "m5",
                              "1h30",
                              "5m10m",
                              "1m1h",
                              "1s1s",
                              "1ms1s",
                              "99999999999999999999s",
                              "9223372036854775807s",
                              "9223372036854775807",
                              "106751991168d",
                              "106751991167d24h"}) {
    EXPECT_FALSE(parse_duration(refused)) << refused;
  }
}

TEST(FormatDuration, PicksTheUnitAfterRounding) {
  const std::vector<std::pair<std::int64_t, const char*>> table{
      {0, "0.00 s"},           {5, "0.01 s"},
      {210, "0.21 s"},         {994, "0.99 s"},
      {996, "1.0 s"},          {3'200, "3.2 s"},
      {59'940, "59.9 s"},      {59'970, "1 m 00 s"},
      {125'000, "2 m 05 s"},   {3'599'400, "59 m 59 s"},
      {3'599'600, "1 h 00 m"}, {15'000'000, "4 h 10 m"},
      {86'399'999, "1 d 0 h"}, {273'600'000, "3 d 4 h"},
      {-3'200, "-3.2 s"},
  };
  for (const auto& [count, expected] : table) EXPECT_EQ(format_duration(milliseconds(count)), expected) << count;
  EXPECT_EQ(format_duration(milliseconds::min()).front(), '-');
}

TEST(FormatBytes, UsesPowersOfAThousand) {
  const std::vector<std::pair<std::uint64_t, const char*>> table{
      {0, "0 B"},
      {512, "512 B"},
      {999, "999 B"},
      {1'000, "1.0 kB"},
      {1'234'567, "1.2 MB"},
      {99'940, "99.9 kB"},
      {99'960, "100 kB"},
      {999'499, "999 kB"},
      {999'500, "1.0 MB"},
      {64'000'000, "64.0 MB"},
      {std::numeric_limits<std::uint64_t>::max(), "18.4 EB"},
  };
  for (const auto& [bytes, expected] : table) EXPECT_EQ(format_bytes(bytes), expected) << bytes;
}

TEST(ParseBytes, UsesPowersOf1024) {
  EXPECT_EQ(parse_bytes("1000"), 1'000U);
  EXPECT_EQ(parse_bytes("512k"), 512U << 10);
  EXPECT_EQ(parse_bytes("64M"), 64U << 20);
  EXPECT_EQ(parse_bytes("2G"), std::uint64_t{2} << 30);
  EXPECT_EQ(parse_bytes("256 MiB"), 256U << 20);
  EXPECT_EQ(parse_bytes("1GiB"), 1U << 30);
  EXPECT_EQ(parse_bytes("16777215T"), std::uint64_t{16'777'215} << 40);
  for (const char* refused :
       {"", "M", "64m", "64MB", "64 M", "-1", "1.5G", "16777216T", "k64", "99999999999999999999"}) {
    EXPECT_FALSE(parse_bytes(refused)) << refused;
  }
}

TEST(Nearest, FindsTypingErrors) {
  const Words commands{"deploy", "logs", "restart", "rollback", "scale", "status"};
  EXPECT_EQ(nearest("delpoy", commands), "deploy");
  EXPECT_EQ(nearest("lgos", commands), "logs");
  EXPECT_EQ(nearest("rolback", commands), "rollback");
  EXPECT_EQ(nearest("DEPLOY", commands), "deploy");
  EXPECT_EQ(nearest("stats", commands), "status");
  EXPECT_EQ(nearest("logs", commands), "logs");
}

TEST(Nearest, SuggestsNothingFarAway) {
  EXPECT_FALSE(nearest("banana", {"deploy", "logs"}));
  EXPECT_FALSE(nearest("x", {"y"}));
  EXPECT_FALSE(nearest("", {"a"}));
  EXPECT_FALSE(nearest("deploy", {}));
  EXPECT_FALSE(nearest(std::string(100'000, 'a'), {std::string(100'000, 'a')}));
}

TEST(Counted, FormsThePlural) {
  EXPECT_EQ(counted(1, "app"), "1 app");
  EXPECT_EQ(counted(0, "app"), "0 apps");
  EXPECT_EQ(counted(3, "process"), "3 processes");
  EXPECT_EQ(counted(2, "branch"), "2 branches");
  EXPECT_EQ(counted(2, "entry"), "2 entries");
  EXPECT_EQ(counted(2, "key"), "2 keys");
}

TEST(FormatTime, IsInUtc) {
  using std::chrono::system_clock;
  EXPECT_EQ(format_time(system_clock::from_time_t(0)), "1970-01-01 00:00:00");
  EXPECT_EQ(format_time(system_clock::from_time_t(1'795'359'845)), "2026-11-22 15:04:05");
  EXPECT_EQ(format_time(system_clock::from_time_t(0) - milliseconds(1)), "1969-12-31 23:59:59");
}

}  // namespace
}  // namespace pushrod
