// A release: the immutable result of a deployment, and the instances that run it.
// A release has the number of the deployment that made it; a restart makes a new release on the same checkout.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "model/app.hh"
#include "model/app_setting.hh"
#include "model/host_mount.hh"
#include "model/process.hh"
#include "model/release_mount.hh"
#include "os/socket.hh"

namespace pushrod {

struct Release {
  AppId app_id = 0;
  AppName app;
  ReleaseNumber number = 0;
  CommitId commit;
  ReleaseNumber checkout = 0;  // the directory number: the deployment that built it
  std::string builder;         // "python", "node", "command", "none": shown to people; no code branches on it
  ProcessTable processes;
  std::map<std::string, std::string> environment;  // what the builder adds for every process (PATH, VIRTUAL_ENV, …)
  AppSettings settings{};
  CronTable crons{};
  WallTime created;
  Source source;
  WritablePaths writable{};  // relative to the app's directory
  ReleaseMounts mounts{};    // beside /app and /data
  HostMounts host_mounts{};  // directories of the machine that its files ask for
};

// Null when it has none of that type.
const Process* find_process(const Release& release, const ProcessType& type);
// Throws UserError, naming those that it has.
const Process& require_process(const Release& release, const ProcessType& type);

// What the database wants of an instance.
enum class InstanceState {
  Starting,  // of a deployment before its commit point; gone if that fails
  Serving,   // of the live release
  Asleep,    // of the live release, stopped until the next request; keeps its port
  Standby,   // of the release before the live one, ready while that one is watched (model/watch.hh)
  Draining,  // out of the routes, finishing its requests
  Stopping,  // told to end
};
std::string_view to_string(InstanceState state);
InstanceState instance_state_from(std::string_view text);

struct Instance {
  InstanceName name;
  std::optional<Port> port;  // leased for as long as this row exists
  InstanceState state = InstanceState::Starting;
  WallTime since;                // of the state
  std::map<Port, Port> ports{};  // by the number in Process::ports, what is leased for it
  AppId app_id = 0;              // name.app is the name under which it was started, also after a rename
};

}  // namespace pushrod
