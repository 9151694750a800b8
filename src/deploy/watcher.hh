// Watches new releases: does a release that has just gone live stay up? (model/watch.hh)
//
// Reads the watches from the database and the instances from the engine, and decides; a fallback is then a deployment
// like any other (fallback.hh), which runs in a process of its own.
#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "deploy/platform.hh"
#include "os/clock.hh"
#include "os/unique_fd.hh"

namespace pushrod {

class Watcher {
 public:
  explicit Watcher(const Platform& platform) : platform_(platform) {}

  // One look at every watch. A release that keeps ending is marked as failing, and the routes go to the instances on
  // standby at once; a watch whose time is over ends. Standby instances are stopped early when memory is short.
  // Returns when the next look is due if nothing ends before.
  Milliseconds pass();

  // Deployment groups whose fallback is due, or under way.
  const std::vector<std::int64_t>& failing() const { return failing_; }
  // Readable when a process of a watched instance has ended (pidfds): call pass() then.
  const std::vector<UniqueFd>& ends() const { return ends_; }

 private:
  void look_at(std::int64_t group, const std::vector<Watch>& watches);

  const Platform& platform_;
  Milliseconds pause_{0};
  std::vector<std::int64_t> failing_;
  std::vector<UniqueFd> ends_;
  std::map<std::int64_t, Stopwatch> seen_;  // since when each group is watched, by our clock
};

}  // namespace pushrod
