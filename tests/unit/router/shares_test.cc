// How many connections the router may have, by what the system allows it.
#include "router/shares.hh"

#include <gtest/gtest.h>

#include "router/router.hh"

namespace pushrod {
namespace {

TEST(Shares, LeaveRoomForTwoDescriptorsOfEachConnection) {
  EXPECT_EQ(connections_within(19'041), 12'000U) << "one for each, one for every second, two for each of the reserve";
  EXPECT_EQ(connections_within(16'384), 10'228U);
  EXPECT_EQ(connections_within(1'024), 100U) << "fewer would be of no use";
  EXPECT_EQ(connections_within(~0ULL), 1'000'000U);
}

}  // namespace
}  // namespace pushrod
