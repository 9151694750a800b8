// The daemon's watch over new releases: a thread that acts as soon as a process of one ends, and begins fallbacks.
#pragma once

#include "deploy/platform.hh"
#include "os/unique_fd.hh"

namespace pushrod {

// Has its own database connection; never joined (the daemon is crash-only). A fallback runs in a process of its own
// (operate/submit.hh) and goes on when the daemon ends.
class WatchThread {
 public:
  explicit WatchThread(const Platform& platform);

  // There may be something new to watch, or a fallback may have ended.
  void call();

 private:
  [[noreturn]] void run();

  const Platform& platform_;
  UniqueFd calls_;  // an eventfd
};

}  // namespace pushrod
