// What the daemon does by the clock: a thread that sleeps until something is due, the clock is set, or call() is
// called.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "deploy/platform.hh"
#include "os/clock.hh"
#include "os/unique_fd.hh"
#include "os/wall_timer.hh"

namespace pushrod {

// Never joined: the daemon is crash-only. Jobs go on without it; an order for a certificate dies with it.
class TimedThread {
 public:
  // Does what is due; returns when to do it again (absent: at the next call).
  using Pass = std::function<std::optional<WallTime>(WallTime now)>;

  // `make` runs on the thread; its platform has a database connection of its own. A pass that fails is reported as
  // `doing` and tried again.
  TimedThread(const Platform& platform, std::string doing, std::function<Pass(const Platform&)> make);

  // There may be something to do: a new release, the end of a job, a new domain.
  void call();

 private:
  [[noreturn]] void run();

  const Platform& platform_;
  std::string doing_;
  std::function<Pass(const Platform&)> make_;
  UniqueFd calls_;  // an eventfd
  WallTimer timer_;
};

TimedThread::Pass follow_cron(const Platform& platform);
TimedThread::Pass keep_certificates(const Platform& platform);
TimedThread::Pass keep_backups(const Platform& platform);
TimedThread::Pass keep_disks_of_services(const Platform& platform);

}  // namespace pushrod
