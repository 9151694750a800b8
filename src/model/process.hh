// What an app's files declare: its process types, build, and release command; and what a release keeps of that.
// Plain values, and their JSON form, in which a release stores them.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "model/host_mount.hh"
#include "model/http_rules.hh"
#include "model/names.hh"
#include "os/clock.hh"
#include "os/socket.hh"

namespace pushrod {

// When an instance counts as healthy, and for how long its release is watched after that.
struct Health {
  std::optional<std::string> path;  // GET must answer 2xx or 3xx; absent: accepting on $PORT is enough
  Milliseconds timeout{30'000};     // until the first successful check
  // After its first successful check an instance must stay up for this time, and pass the check again at its end.
  // Absent in a manifest: the operator's default (Settings). A release always has both.
  std::optional<Milliseconds> settle;
  // For this time after the switch, a release whose instances keep dying is replaced by the one before it.
  std::optional<Milliseconds> watch;
};

// The most that an instance may use; absent: not limited.
struct Limits {
  std::optional<std::uint64_t> memory;      // bytes
  std::optional<unsigned> cpu_percent;      // of one processor: 50 is half of one, 200 two
  std::optional<unsigned> processes;        // and threads
  std::optional<std::uint64_t> open_files;  // of each process
  bool operator==(const Limits&) const = default;
};

struct Process {
  ProcessType type;
  std::string command;  // run by /bin/sh -c inside the sandbox
  std::uint32_t count = 1;
  bool is_scaled = false;              // the operator has set the count (`scale`), regardless of the app's files
  bool overlap = true;                 // false: the old release's instances stop before the new ones start
  Milliseconds stop_timeout{10'000};   // from SIGTERM to SIGKILL
  Milliseconds drain_timeout{30'000};  // how long requests in flight may take once it is out of the routes
  Health health;
  Limits limits{};
  std::optional<Milliseconds> sleep_after{};  // web only: idle for so long, it is stopped until the next request
  // Further ports that it listens on, as its files name them; sorted, unique. Each instance leases one for each.
  std::vector<Port> ports{};
  bool sticky = false;  // web only: a client stays with its instance for as long as that instance serves

  bool h2 = false;   // web only: it speaks HTTP/2 without TLS (gRPC)
  HttpRules http{};  // web only: what the router does with its requests

  // The web type is the one that is routed: it gets a PORT.
  bool is_routed() const { return type.str() == "web"; }
};

// Sorted by type; unique.
using ProcessTable = std::vector<Process>;

// A command that runs by the clock.
struct Cron {
  enum class Overlap { Skip, Wait, Allow };  // when the run before has not ended
  std::string name;                          // unique; a ProcessType's rule
  std::string schedule;                      // as written: five fields, or "@daily"
  std::string command;                       // run by /bin/sh -c inside the sandbox
  Overlap overlap = Overlap::Skip;
  Milliseconds timeout{3'600'000};
  std::string timezone;  // "Europe/Berlin"; empty: the machine's
};
// Sorted by name; unique.
using CronTable = std::vector<Cron>;

// Paths of an app's directory that its processes may write to, each instance for itself: relative, without "." and ".."
// parts, sorted, unique. "." alone is the whole directory.
using WritablePaths = std::vector<std::string>;

// A service that an app's files declare (model/service.hh).
struct DeclaredService {
  std::string key;      // "db"
  std::string type;     // "postgres"
  std::string version;  // empty: the newest that is installed when it is created
  std::optional<std::uint64_t> memory{};
  std::string prefix{};  // of its settings; empty: the type's
  bool tcp = false;      // by a port of 127.0.0.1
  std::optional<std::uint64_t> disk{};
  std::optional<unsigned> cpu_percent{};
  bool operator==(const DeclaredService&) const = default;
};
// In the order of the file; keys are unique.
using DeclaredServices = std::vector<DeclaredService>;

// What pushrod.toml, Procfile and app.json contain; what they leave out is empty or absent.
struct AppManifest {
  ProcessTable processes;                      // empty: the builder may know a default
  std::optional<std::string> build_command;    // [build] command
  std::optional<std::string> release_command;  // [release] command
  bool hold_for_release = false;               // [release] hold: requests wait while the release command runs
  bool snapshot_for_release = false;           // [release] snapshot: of /data and databases, before it
  std::optional<std::string> backup_before{};  // [backup] before: runs in the app before /data is read
  CronTable crons;                             // [[cron]]
  std::vector<std::string> required_settings;  // [settings] required: names without which it is not deployed
  WritablePaths writable{};                    // [app] writable
  std::optional<std::string> build_root{};     // [build] root, as written: relative to the app's path
  std::vector<std::string> builders{};         // [build] builder: in this order; empty: the builder is detected
  HttpRules http{};                            // [http]; a release has them in its web process
  std::optional<std::string> static_files{};   // [processes.web] static: the directory that is served
  DeclaredServices services{};                 // [services]
  HostMounts host_mounts{};                    // [mounts]
  std::optional<std::string> build_after{};    // [build] after: a command that runs after the builder's own
  bool build_network = true;                   // [build] network
  bool build_submodules = true;                // [build] submodules: false: they may be missing
  std::vector<std::string> buildpacks{};       // [build] buildpacks: directories of the app, or addresses with a commit
  // From an app.json:
  std::map<std::string, std::string> environment{};  // variables, unless there are settings of their names
  std::vector<std::string> generated_settings{};     // secrets that are made up where there are none
  std::optional<std::string> first_command{};        // runs with the first release, after the release command
  std::vector<std::string> ignored{};                // what does not count of it
};

std::string to_json(const ProcessTable& processes);
ProcessTable processes_from_json(const std::string& json);
std::string to_json(const CronTable& crons);
CronTable crons_from_json(const std::string& json);
std::string to_json(const WritablePaths& paths);
WritablePaths writable_from_json(const std::string& json);

}  // namespace pushrod
