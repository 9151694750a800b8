// What s6-supervise leaves on disk about a service, read without running a tool: `ps` looks at hundreds at once.
// Used inside supervise/ only. The formats are those of s6 2.11; a file of another size is answered by s6-svstat
// instead, and the unit tests hold this reader against the tools.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <optional>
#include <string>

#include "os/clock.hh"

namespace pushrod {

// supervise/status.
struct SuperviseState {
  bool up = false;
  bool wanted_up = false;
  pid_t pid = 0;
  Milliseconds since{0};  // since it came up or went down

  bool operator==(const SuperviseState&) const = default;
};
// Absent when there is no such file.
std::optional<SuperviseState> read_supervise_state(const std::filesystem::path& service_directory);
// The same from s6-svstat (whole seconds).
SuperviseState ask_supervise_state(const std::filesystem::path& service_directory);

// supervise/death_tally.
struct Deaths {
  unsigned count = 0;
  std::string last;  // "exit code 1", "SIGKILL"
};
Deaths read_deaths(const std::filesystem::path& service_directory);

// The s6-supervise that looks after this directory: it holds a lock for as long as it lives.
std::optional<pid_t> supervisor_of(const std::filesystem::path& service_directory);

// The instance's own lock (src/shim/README.md): held until the last process in its sandbox is gone.
bool is_instance_lock_held(const std::filesystem::path& service_directory);

// How long the shim still holds the app back; 0 when it does not.
Milliseconds backing_off(const std::filesystem::path& service_directory);

}  // namespace pushrod
