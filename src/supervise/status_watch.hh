// Wakes up when s6-supervise says something new about one of many services.
// Used inside supervise/ only.
#pragma once

#include <filesystem>

#include "os/clock.hh"
#include "os/unique_fd.hh"

namespace pushrod {

// s6-supervise replaces supervise/status at every change of state.
class StatusWatch {
 public:
  StatusWatch();
  void add(const std::filesystem::path& service_directory);
  // Waits for a change since the last call (or add); false when there was none until the deadline.
  bool wait(const Deadline& deadline);

 private:
  UniqueFd inotify_;
};

}  // namespace pushrod
