// A watched release: for health.watch after its switch, the app can fall back to the release before it.
//
//   commit of a push, redeploy, restart, config or rollback ──► watched ──► the time is over, or another deployment
//                                                                  │        begins: the watch ends
//                                                                  └──────► its instances keep ending: failing, then a
//                                                                           deployment of kind Fallback
//
// While a release is watched, the routed instances of the one before it are Standby: up, without requests. From the
// moment it is failing, they get the requests. All apps of a deployment group are watched, and fall back, together.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "model/app.hh"
#include "model/exit_status.hh"

namespace pushrod {

struct Watch {
  AppId app_id = 0;
  AppName app;
  std::int64_t group = 0;      // the deployment that made the release
  ReleaseNumber release = 0;   // the watched one: it is live
  ReleaseNumber previous = 0;  // what the app falls back to
  std::string failure;         // why it falls back: "web.1 ended with exit code 1"; empty while all is well

  bool is_failing() const { return !failure.empty(); }
};

// What the watch observed of one instance of a watched release.
struct WatchedInstance {
  std::string type;
  bool routed = false;
  unsigned deaths = 0;
  std::optional<ExitStatus> last_exit;  // of the last one
};

// Does a release with these instances, all of its types, keep ending? The first death of an instance counts, unless it
// may have come from outside (a plain SIGKILL) or is how a worker restarts itself (exit code 0). A second one always
// counts. A type fails when all of its instances have ended, or one of them keeps ending. Returns the instance that
// shows it; null: all is well.
const WatchedInstance* failing_instance(const std::vector<WatchedInstance>& instances);

}  // namespace pushrod
