// Kills what does not answer: HAProxy's master and workers, sshd, and the daemon itself. s6 starts each again; the
// watchdog also makes s6-svscan start what it has forgotten, and looks after shared resources (guard.hh). It is a
// process of its own, a copy of the daemon from before that began, and it ends with the daemon. When the watchdog ends
// alone, the daemon ends, too, so that s6 starts both.
#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <functional>

#include "model/layout.hh"
#include "model/settings.hh"
#include "os/clock.hh"
#include "os/unique_fd.hh"

namespace pushrod {

// What both processes see.
struct Pulse {
  std::atomic<std::int64_t> busy_since{0};  // milliseconds of the steady clock; 0: the daemon waits for a call
};

class Watchdog {
 public:
  // Starts it. Only while the process has one thread and no database open. `programs`: where pushrod-shim lies. `begin`
  // is what it does first.
  Watchdog(const Layout& layout, const Settings& settings, const std::filesystem::path& programs,
           const std::function<void()>& begin);
  ~Watchdog();
  Watchdog(const Watchdog&) = delete;
  Watchdog& operator=(const Watchdog&) = delete;

  // Readable when it has ended.
  int end_fd() const { return end_.get(); }
  // The daemon's loop says when it begins a pass, and when it waits again. A pass that takes more than a minute ends
  // the daemon.
  void begin_pass();
  void end_pass();

 private:
  Pulse* pulse_;  // shared memory
  UniqueFd end_;
};

}  // namespace pushrod
