// Reports when s6-supervise says something new about one of many services.
// Used inside supervise/ only.
#pragma once

#include <filesystem>
#include <map>
#include <set>

#include "os/clock.hh"
#include "os/unique_fd.hh"

namespace pushrod {

// s6-supervise replaces supervise/status at every change of state. Where the kernel gives no inotify instance or watch
// (it counts both per user id, and apps use them up), every service is reported every 20 ms instead.
class StatusWatch {
 public:
  StatusWatch();
  void add(const std::filesystem::path& service_directory);
  // Waits for a change since the last call (or add). Returns the directories of the services that changed, or may have;
  // none when the deadline has passed.
  std::set<std::filesystem::path> wait(const Deadline& deadline);

 private:
  std::set<std::filesystem::path> wait_blindly(const Deadline& deadline);

  UniqueFd inotify_;                              // none: there is no instance to be had
  std::set<std::filesystem::path> unwatched_;     // what there is no watch for
  std::map<int, std::filesystem::path> watched_;  // by inotify's number
};

}  // namespace pushrod
