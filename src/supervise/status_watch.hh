// Reports when s6-supervise says something new about one of many services.
// Used inside supervise/ only.
#pragma once

#include <filesystem>
#include <map>
#include <set>

#include "os/clock.hh"
#include "os/unique_fd.hh"

namespace pushrod {

// s6-supervise replaces supervise/status at every change of state.
class StatusWatch {
 public:
  StatusWatch();
  void add(const std::filesystem::path& service_directory);
  // Waits for a change since the last call (or add). Returns the directories of the services that changed; none when
  // the deadline has passed.
  std::set<std::filesystem::path> wait(const Deadline& deadline);

 private:
  UniqueFd inotify_;
  std::map<int, std::filesystem::path> watched_;  // by inotify's number
};

}  // namespace pushrod
