// A timerfd on CLOCK_REALTIME that ends early when the clock is set.
#include "os/wall_timer.hh"

#include <sys/timerfd.h>

#include <algorithm>
#include <cerrno>

#include "base/error.hh"

namespace pushrod {

WallTimer::WallTimer() : fd_(timerfd_create(CLOCK_REALTIME, TFD_CLOEXEC | TFD_NONBLOCK)) {
  if (!fd_) throw_errno("make a timer");
}

void WallTimer::set(std::optional<WallTime> time) {
  constexpr std::int64_t kFarAway = std::int64_t{1} << 40;  // seconds; a timer without a time would tell nothing
  const std::int64_t milliseconds = time ? std::max<std::int64_t>(to_epoch_milliseconds(*time), 1) : kFarAway * 1000;
  itimerspec at{};
  at.it_value.tv_sec = milliseconds / 1000;
  at.it_value.tv_nsec = milliseconds % 1000 * 1'000'000;
  // Fails when the clock has been set since the last time, and is armed all the same.
  if (timerfd_settime(fd_.get(), TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &at, nullptr) != 0 &&
      errno != ECANCELED) {
    throw_errno("set a timer");
  }
}

}  // namespace pushrod
