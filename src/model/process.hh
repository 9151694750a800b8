// What an app says of itself: its process types, build, and release command; and what a release keeps of it.
// Floor 2. Plain values, and their JSON form, in which a release stores them.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "model/names.hh"
#include "os/clock.hh"

namespace pushrod {

struct Health {
  std::optional<std::string> path;  // GET must answer 2xx or 3xx; absent: accepting on $PORT is enough
  Milliseconds timeout{30'000};
};

struct Process {
  ProcessType type;
  std::string command;  // run by /bin/sh -c inside the sandbox
  std::uint32_t count = 1;
  bool overlap = true;                 // false: the old release's instances stop before the new ones start
  Milliseconds stop_timeout{10'000};   // from SIGTERM to SIGKILL
  Milliseconds drain_timeout{30'000};  // how long requests in flight may take once it is out of the routes
  Health health;

  // The web type is the one that is routed: it gets a PORT.
  bool is_routed() const { return type.str() == "web"; }
};

// Sorted by type; unique.
using ProcessTable = std::vector<Process>;

// What pushrod.toml and Procfile say, as far as they say it.
struct AppManifest {
  ProcessTable processes;                      // empty: the builder may know a default
  std::optional<std::string> build_command;    // [build] command
  std::optional<std::string> release_command;  // [release] command
};

std::string to_json(const ProcessTable& processes);
ProcessTable processes_from_json(const std::string& json);

}  // namespace pushrod
