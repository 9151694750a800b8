// What a CA says of renewals.
#include "deploy/renewal_info.hh"

#include <gtest/gtest.h>

#include "base/text.hh"

namespace pushrod {
namespace {

TEST(RenewalInfo, HasAWindow) {
  const auto window = parse_renewal_info(
      R"({"suggestedWindow": {"start": "2026-01-03T00:00:00Z", "end": "2026-01-07T00:00:00.5Z"}, "explanationURL": "x"})");
  ASSERT_TRUE(window);
  EXPECT_EQ(window->start, parse_time("2026-01-03T00:00:00Z"));
  EXPECT_EQ(window->end, parse_time("2026-01-07T00:00:00.5Z"));
}

TEST(RenewalInfo, IsNoneWhenItMakesNoSense) {
  for (const char* text :
       {"", "{", "[]", "{}", R"({"suggestedWindow": 1})", R"({"suggestedWindow": {"start": 1, "end": 2}})",
        R"({"suggestedWindow": {"start": "2026-01-03T00:00:00Z"}})",
        R"({"suggestedWindow": {"start": "2026-01-07T00:00:00Z", "end": "2026-01-03T00:00:00Z"}})"}) {
    EXPECT_FALSE(parse_renewal_info(text)) << text;
  }
}

}  // namespace
}  // namespace pushrod
