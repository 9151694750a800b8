// Deadlines and wall-clock conversions.
#include "os/clock.hh"

#include <gtest/gtest.h>

namespace pushrod {
namespace {

using namespace std::chrono_literals;

TEST(WallClock, GoesToMillisecondsAndBack) {
  for (const std::int64_t count : {std::int64_t{0}, std::int64_t{1'795'359'845'123}, std::int64_t{-1}}) {
    EXPECT_EQ(to_epoch_milliseconds(from_epoch_milliseconds(count)), count);
  }
  EXPECT_GT(to_epoch_milliseconds(now()), 1'700'000'000'000);
}

TEST(Deadline, IsNeverNegative) {
  EXPECT_TRUE(Deadline(0ms).passed());
  EXPECT_TRUE(Deadline(-5s).passed());
  EXPECT_EQ(Deadline(-5s).left(), 0ms);
}

TEST(Deadline, IsRoundedUp) {
  const Deadline deadline(60s);
  EXPECT_FALSE(deadline.passed());
  EXPECT_LE(deadline.left(), 60s);
  EXPECT_GT(deadline.left(), 30s);
}

TEST(Deadline, MayBeAsFarAwayAsCanBeSaid) {
  const Deadline deadline(Milliseconds::max());
  EXPECT_FALSE(deadline.passed());
  EXPECT_GT(deadline.left(), 24h * 365);
}

TEST(Stopwatch, Advances) {
  const Stopwatch watch;
  const Milliseconds first = watch.elapsed();
  EXPECT_GE(first, 0ms);
  EXPECT_GE(watch.elapsed(), first);
}

}  // namespace
}  // namespace pushrod
