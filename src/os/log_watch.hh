// Sleeps until something was written to a log. Where the kernel gives no inotify instance or watch (it counts both per
// user id, and apps use them up), a follower looks five times a second instead.
#pragma once

#include <cstdint>
#include <filesystem>

#include "os/clock.hh"
#include "os/unique_fd.hh"

namespace pushrod {

class LogWatch {
 public:
  LogWatch();
  // A path that is watched already, or is not there, changes nothing. `events`: of inotify(7).
  void add(const std::filesystem::path& path, std::uint32_t events);
  // Waits for a change, at most this long; false when this process is to stop, or when nothing reads its output.
  bool wait(Milliseconds at_most) const;

 private:
  UniqueFd inotify_;
  bool is_blind_ = false;
};

}  // namespace pushrod
