// Time. Wall-clock time only for what people read; deadlines use the steady clock, so that a stepped clock loses none.
#pragma once

#include <chrono>
#include <cstdint>

namespace pushrod {

using Milliseconds = std::chrono::milliseconds;
using WallTime = std::chrono::system_clock::time_point;

WallTime now();
std::int64_t to_epoch_milliseconds(WallTime time);
WallTime from_epoch_milliseconds(std::int64_t milliseconds);

// A TAI64N stamp as s6 writes it: true TAI, which since 2017 is 37 s ahead of UTC. (No leap second has been announced
// since; should one come, times read from stamps are one second off until this number is changed.)
WallTime from_tai64n(std::uint64_t label, std::uint32_t nanoseconds);

// A point on the steady clock by which something must be done.
class Deadline {
 public:
  // At most ten years, so that milliseconds::max() may stand for "none".
  explicit Deadline(Milliseconds from_now);
  // Never negative.
  Milliseconds left() const;
  bool passed() const { return left() == Milliseconds{0}; }

 private:
  std::chrono::steady_clock::time_point end_;
};

class Stopwatch {
 public:
  Milliseconds elapsed() const;

 private:
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

}  // namespace pushrod
