// The daemon's watch over new releases: a thread that looks as soon as a process of one ends, and starts fallbacks.
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <mutex>
#include <set>

#include "deploy/platform.hh"
#include "os/unique_fd.hh"

namespace pushrod {

// With a database connection of its own; never joined (the daemon is crash-only). A fallback that this process has
// started ends with it, is undone like any interrupted deployment, and due again.
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
