// A timer on the wall clock.
#include "os/wall_timer.hh"

#include <gtest/gtest.h>
#include <poll.h>

namespace pushrod {
namespace {

bool rings(const WallTimer& timer, int within) {
  pollfd entry{timer.fd(), POLLIN, 0};
  return poll(&entry, 1, within) > 0;
}

TEST(WallTimer, RingsAtItsTimeAndNotBefore) {
  WallTimer timer;
  timer.set(now() + Milliseconds{80});
  EXPECT_FALSE(rings(timer, 20));
  EXPECT_TRUE(rings(timer, 5000));
}

TEST(WallTimer, RingsAtOnceForATimeThatHasPassed) {
  WallTimer timer;
  timer.set(now() - Milliseconds{10'000});
  EXPECT_TRUE(rings(timer, 5000));
}

TEST(WallTimer, IsSetAnew) {
  WallTimer timer;
  timer.set(now() - Milliseconds{10'000});
  EXPECT_TRUE(rings(timer, 5000));
  timer.set({});
  EXPECT_FALSE(rings(timer, 20));
}

}  // namespace
}  // namespace pushrod
