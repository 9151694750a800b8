// What s6 says about a service. `ps` and `app list` look at hundreds of services at once, so what the tools said is
// kept beside the service until s6-supervise writes a new status. Used inside supervise/ only. The content of s6's own
// files is never read: it differs between versions.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <optional>
#include <string>

#include "model/exit_status.hh"
#include "os/clock.hh"

namespace pushrod {

struct SuperviseState {
  bool up = false;
  bool wanted_up = false;
  pid_t pid = 0;                        // 0 while it is down
  WallTime since;                       // when it came up or went down
  unsigned deaths = 0;                  // ends since its s6-supervise started, at most 100
  std::optional<ExitStatus> last_exit;  // absent when it never ended

  bool operator==(const SuperviseState&) const = default;
};

// What s6-svstat and s6-svdt say about a service, now or at the last change of its status. Absent when no s6-supervise
// looks after it. Throws Error when a tool fails for another reason. Two processes may call it at the same time; a
// killed one leaves at most a temporary file in the service directory.
std::optional<SuperviseState> observe_service(const std::filesystem::path& service_directory);

// The s6-supervise that looks after this directory. It holds a kernel lock for as long as it lives; the lock is asked
// for, because s6-svok does not tell the pid and would be one more process to start.
std::optional<pid_t> supervisor_of(const std::filesystem::path& service_directory);

// The instance's own lock (src/shim/README.md): held until the last process in its sandbox is gone.
bool is_instance_lock_held(const std::filesystem::path& service_directory);

// How long the shim still holds the app back; 0 when it does not.
Milliseconds backing_off(const std::filesystem::path& service_directory);

}  // namespace pushrod
