// Wall-clock conversions and deadlines.
// Everything that waits takes its time from here.
#include "os/clock.hh"

#include <algorithm>

namespace pushrod {

namespace {

// "No deadline" is often spelt milliseconds::max(), which would overflow the clock when added to now.
constexpr Milliseconds kLongest = std::chrono::hours{24 * 365 * 10};

}  // namespace

WallTime now() { return std::chrono::system_clock::now(); }

std::int64_t to_epoch_milliseconds(WallTime time) {
  return std::chrono::floor<Milliseconds>(time.time_since_epoch()).count();
}

WallTime from_tai64n(std::uint64_t label, std::uint32_t nanoseconds) {
  constexpr std::uint64_t kEpoch = (std::uint64_t{1} << 62) + 37;
  return from_epoch_milliseconds(static_cast<std::int64_t>(label - kEpoch) * 1000 + nanoseconds / 1'000'000);
}

WallTime from_epoch_milliseconds(std::int64_t milliseconds) { return WallTime(Milliseconds(milliseconds)); }

Deadline::Deadline(Milliseconds from_now)
    : end_(std::chrono::steady_clock::now() + std::clamp(from_now, Milliseconds{0}, kLongest)) {}

// Rounded up: poll() with the rest of a millisecond as 0 would spin until it is over.
Milliseconds Deadline::left() const {
  const auto rest = std::chrono::ceil<Milliseconds>(end_ - std::chrono::steady_clock::now());
  return std::max(rest, Milliseconds{0});
}

Milliseconds Stopwatch::elapsed() const {
  return std::chrono::floor<Milliseconds>(std::chrono::steady_clock::now() - start_);
}

}  // namespace pushrod
