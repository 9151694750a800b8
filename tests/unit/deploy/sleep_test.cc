// Who may sleep.
#include "deploy/sleep.hh"

#include <gtest/gtest.h>

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

}  // namespace
}  // namespace pushrod
