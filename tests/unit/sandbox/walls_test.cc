// What doctor says of the walls on which kernel. tests/unit/shim/ has the walls themselves.
#include "sandbox/walls.hh"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>

namespace pushrod {
namespace {

using testing::HasSubstr;

TEST(Walls, AllStandWithLandlock6) {
  for (const Wall& wall : walls_of(6, true)) EXPECT_TRUE(wall.stands) << wall.name;
}

TEST(Walls, OfAbstractSocketsNeedLandlock6) {
  const auto walls = walls_of(4, true);
  ASSERT_EQ(walls.size(), 3U);
  EXPECT_TRUE(walls[1].stands);
  EXPECT_FALSE(walls[2].stands);
  EXPECT_EQ(walls[2].found, "Landlock 4, too old: 6 is needed");
  EXPECT_THAT(walls[2].remedy, HasSubstr("Linux 6.12"));
}

TEST(Walls, OfPortsNeedLandlock4) {
  const auto walls = walls_of(2, true);  // Debian 12
  EXPECT_TRUE(walls[0].stands);
  EXPECT_FALSE(walls[1].stands);
  EXPECT_FALSE(walls[2].stands);
  EXPECT_THAT(walls[1].remedy, HasSubstr("Linux 6.7"));
  EXPECT_THAT(walls[1].lost, HasSubstr("that of one that restarts"));
}

TEST(Walls, ThatAreSwitchedOffDifferFromThoseThatTheKernelLacks) {
  EXPECT_EQ(walls_of(-EOPNOTSUPP, true)[1].found, "Landlock is switched off");
  EXPECT_THAT(walls_of(-EOPNOTSUPP, true)[1].remedy, HasSubstr("lsm=landlock"));
  EXPECT_EQ(walls_of(-ENOSYS, true)[1].found, "the kernel has no Landlock");
}

TEST(Walls, OfSystemCallsNeedSeccomp) { EXPECT_FALSE(walls_of(7, false)[0].stands); }

}  // namespace
}  // namespace pushrod
