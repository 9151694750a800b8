// The daemon's watch over new releases: a thread that acts as soon as a process of one ends, and starts fallbacks.
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <mutex>
#include <set>

#include "deploy/platform.hh"
#include "os/unique_fd.hh"

namespace pushrod {

// Has its own database connection; never joined (the daemon is crash-only). A fallback runs in a process that ends with
// the daemon; it is then undone like any interrupted deployment, and started again.
class WatchThread {
 public:
  explicit WatchThread(const Platform& platform);

  // There may be something new to watch.
  void call();

 private:
  [[noreturn]] void run();
  void fall_back(std::int64_t group);

  const Platform& platform_;
  UniqueFd calls_;  // an eventfd
  std::mutex mutex_;
  std::set<std::int64_t> falling_;  // groups whose fallback is under way
};

}  // namespace pushrod
