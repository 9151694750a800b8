// The daemon's cron: a thread that sleeps until a job is due, the clock is set, or call() is called.
#pragma once

#include "deploy/platform.hh"
#include "os/unique_fd.hh"
#include "os/wall_timer.hh"

namespace pushrod {

// With a database connection of its own. Never joined: the daemon is crash-only, and the jobs go on without it.
class CronThread {
 public:
  explicit CronThread(const Platform& platform);

  // There may be something to do: a new release, the end of a job.
  void call();

 private:
  [[noreturn]] void run();

  const Platform& platform_;
  UniqueFd calls_;  // an eventfd
  WallTimer timer_;
};

}  // namespace pushrod
