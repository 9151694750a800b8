#include "engine/local/machine.hh"

#include <fmt/format.h>
#include <unistd.h>

#include "base/error.hh"
#include "base/text.hh"
#include "engine/local/local_engine.hh"
#include "os/files.hh"
#include "router/router.hh"
#include "sandbox/cgroup.hh"
#include "sandbox/limits.hh"
#include "sandbox/sandbox.hh"
#include "sandbox/walls.hh"

namespace pushrod {

namespace {

Finding examine_sandbox() {
  const auto missing = probe_sandbox();
  return {"sandboxes", missing.empty(), true, missing.empty() ? "work" : missing, "everything: no build, no app",
          missing};
}

Finding examine_writable_paths() {
  const auto missing = probe_writable();
  return {"writable paths in /app",
          missing.empty(),
          false,
          missing.empty() ? "work" : missing,
          "[app] writable in pushrod.toml, for directories that the release contains",
          "Linux 5.11 or newer, with overlayfs"};
}

Finding describe(const Wall& wall, bool required) {
  return {wall.name, wall.stands, required, wall.found, wall.lost, wall.remedy};
}

// Whether the tree has a subtree of cgroups; where it does not run, whether a tree started from here would get one.
Finding examine_cgroups(const Layout& layout) {
  Finding finding{"cgroup limits",
                  false,
                  false,
                  "",
                  "cpu limits; memory is limited per process only, not per instance",
                  "run the tree under systemd with Delegate=yes (docs/install.md)"};
  const auto group = Cgroups::own_group();
  if (const auto ours = Cgroups::recorded(layout.cgroup())) {
    finding.found = fmt::format("{}: {}", ours->subtree().string(), join(ours->controllers(), ", "));
    finding.good = true;
  } else if (group.empty()) {
    finding.found = "no cgroup v2 hierarchy at /sys/fs/cgroup";
  } else if (access((group / "cgroup.procs").c_str(), W_OK) != 0) {
    finding.found = "not delegated to this user";
  } else {
    const auto there = read_file(group / "cgroup.controllers").value_or("");
    finding.found = "delegated with " + (trim(there).empty() ? "no controllers" : std::string(trim(there)));
    finding.good = there.find("memory") != std::string::npos && there.find("pids") != std::string::npos;
  }
  return finding;
}

Finding examine_process_limits() {
  const bool good = rlimits_here().count_processes_per_sandbox;
  return {"process limits",
          good,
          false,
          good ? "counted per sandbox" : "counted per user",
          "limits of processes, where there are no cgroups",
          "Linux 5.14 or newer"};
}

}  // namespace

std::vector<Finding> LocalEngine::examine() const {
  std::vector<Finding> findings{examine_sandbox()};
  // Without seccomp no app starts; the other walls are missing in older kernels, and Pushrod runs without them.
  const auto walls = examine_walls();
  for (const auto& wall : walls) findings.push_back(describe(wall, &wall == &walls.front()));
  findings.push_back(examine_writable_paths());
  findings.push_back(examine_cgroups(layout_));
  findings.push_back(examine_process_limits());
  return findings;
}

void check_sandboxes() {
  if (const auto filter = examine_walls().front(); !filter.stands) throw UserError(filter.found, filter.remedy);
  if (const auto missing = probe_sandbox(); !missing.empty())
    throw UserError(missing, "run `pushrod doctor` for details");
}

ConnectionLimit connection_limit() {
  const auto files = hard_limits_of(0).open_files;
  return {files, connections_within(files)};
}

}  // namespace pushrod
