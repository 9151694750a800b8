// How many connections the router may have, by what the system allows it.
#include "router/shares.hh"

#include <gtest/gtest.h>

#include "router/router.hh"

namespace pushrod {
namespace {

TEST(Shares, LeaveRoomForTwoDescriptorsOfEachConnection) {
  EXPECT_EQ(connections_within(25'041), 12'000U) << "what HAProxy says that it needs for 12,000 and its reserve of 500";
  EXPECT_EQ(connections_within(20'000), 9'479U);
  EXPECT_EQ(connections_within(1'024), 100U) << "fewer would be of no use";
  EXPECT_EQ(connections_within(~0ULL), 1'000'000U);
}

}  // namespace
}  // namespace pushrod
