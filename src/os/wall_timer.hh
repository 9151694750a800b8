// A timer on the wall clock: for what people expect by their clocks.
// Everything else waits with Deadline (os/clock.hh), which no change of the clock disturbs.
#pragma once

#include <optional>

#include "os/clock.hh"
#include "os/unique_fd.hh"

namespace pushrod {

class WallTimer {
 public:
  WallTimer();
  // Readable from this time on, and when the clock is set. Without a time: only when the clock is set.
  void set(std::optional<WallTime> time);
  int fd() const noexcept { return fd_.get(); }

 private:
  UniqueFd fd_;
};

}  // namespace pushrod
