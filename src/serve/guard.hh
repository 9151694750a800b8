// Stops an app that has used up a resource that the kernel counts for all apps and Pushrod together, when Pushrod
// itself cannot get any of it. Part of the watchdog.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "model/layout.hh"
#include "os/command.hh"
#include "os/mounts.hh"
#include "os/shared_resources.hh"

namespace pushrod {

// A sandbox that runs: of an instance, a job or a build.
struct RunningSandbox {
  pid_t init = 0;   // its pid 1, by the host's number
  std::string app;  // whose it is
};

// Those whose /app is a checkout of this root directory.
std::vector<RunningSandbox> running_sandboxes(const Layout& layout);
// "blog" when a process with these mounts has .../blog/14/tree of one of the parents (the directory of checkouts or
// that of releases) at /app; otherwise empty. Paths would not tell: a server's root directory may be a part of a file
// system, and Pushrod's root directory may hold mounts.
std::string app_of_mounts(const std::vector<DevicePath>& parents, const std::vector<MountEntry>& mounts);

class Guard {
 public:
  // `program`: pushrod, which stops the app.
  Guard(const Layout& layout, std::filesystem::path program) : layout_(layout), program_(std::move(program)) {}
  // To be called now and then. What is used up twice in a row is freed: the sandbox that has the most of it is killed,
  // and its app stopped, unless it has less than an eighth of all. Does not wait for the stop, which may need a router
  // that the watchdog has yet to end.
  void look();

 private:
  void free(SharedResource resource);
  void begin_stop(const std::string& app, const std::string& reason);
  void end_stop();

  const Layout& layout_;
  std::filesystem::path program_;
  SharedResourceProbe probe_;
  std::map<SharedResource, bool> was_used_up_;
  std::optional<ChildProcess> stop_;  // of one app at a time
};

}  // namespace pushrod
