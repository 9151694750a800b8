#include "tree/machine.hh"

#include <fmt/format.h>
#include <grp.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/error.hh"
#include "base/text.hh"
#include "config/settings_file.hh"
#include "os/files.hh"
#include "os/pty.hh"
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
Finding examine_cgroups(const std::filesystem::path& root) {
  Finding finding{"cgroup limits",
                  false,
                  false,
                  "",
                  "cpu limits; memory is limited per process only, not per instance",
                  "run the tree under systemd with Delegate=yes (docs/install.md)"};
  const auto group = Cgroups::own_group();
  if (const auto ours = Cgroups::recorded(Layout(root).cgroup())) {
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

Finding examine_open_files(const Settings& settings) {
  const auto files = hard_limits_of(0).open_files;
  const auto connections = connections_within(files);
  return {"open files",
          connections >= settings.connections,
          false,
          fmt::format("{}, enough for {} connections", files, std::min(connections, settings.connections)),
          fmt::format("the {} connections of [http] connections", settings.connections),
          "raise LimitNOFILE= of Pushrod's service, or ulimit -Hn"};
}

// sshd gives a terminal to the group tty. Unprivileged, it can do so only where it is made for that group.
Finding examine_terminals() {
  Finding finding{"terminals for ssh -t",
                  false,
                  false,
                  "not of the group tty",
                  "`shell`, and `run` at a terminal, over the built-in SSH server",
                  "as root: mount -o remount,gid=tty,mode=620 /dev/pts"};
  try {
    const auto pair = make_pseudo_terminal(STDIN_FILENO);
    struct stat status = {};
    const auto* tty = getgrnam("tty");
    finding.good = fstat(pair.theirs.get(), &status) == 0 && (tty == nullptr || status.st_gid == tty->gr_gid);
    if (finding.good) finding.found = "of the group tty";
  } catch (const SystemError& error) {
    finding.found = error.message();
  }
  return finding;
}

Finding examine_disk(const std::filesystem::path& root) {
  constexpr std::uint64_t kLittle = 1u << 30;
  const auto free = free_bytes(root);
  return {"free disk",
          free >= kLittle,
          false,
          format_bytes(free),
          "room for checkouts and builds",
          "make room on the file system of " + root.string()};
}

// Whether the key beside the database opens what it keeps sealed. The key is not made for that.
Finding examine_settings_key(const Layout& layout, const Store& store) {
  Finding finding{"settings.key",
                  true,
                  true,
                  "opens all settings",
                  "the settings of apps, and so their deployments",
                  "restore it from a backup (docs/install.md), or set the settings again"};
  try {
    for (const auto& app : store.apps()) {
      const auto settings = store.settings(app.id);
      if (settings.empty()) continue;
      if (!is_plain_file(layout.settings_key())) throw Error("it is not there, and settings are sealed with it");
      store.vault().open_all(app.id, settings);
    }
  } catch (const Error& error) {
    finding.good = false;
    finding.is_broken = true;
    finding.found = error.message();
  }
  return finding;
}

// Nothing where there is no database yet.
void examine_database(const Layout& layout, std::vector<Finding>& findings) {
  if (!is_plain_file(layout.database())) return;
  Finding finding{"database",
                  false,
                  true,
                  "",
                  "what it says of apps, keys and deployments",
                  "stop Pushrod, and restore a backup (docs/install.md)"};
  try {
    const Store store(layout.database());
    finding.found = store.integrity();
    finding.good = finding.found == "ok";
    if (finding.good) findings.push_back(examine_settings_key(layout, store));
  } catch (const Error& error) {
    finding.found = error.message();
  }
  finding.is_broken = !finding.good;
  findings.push_back(finding);
}

}  // namespace

std::vector<Finding> examine_machine(Session& session) {
  session.require_admin();
  const auto& layout = session.layout();
  auto findings = examine_tools();
  findings.push_back(examine_sandbox());
  // Without seccomp no app starts; the other walls are missing in older kernels, and Pushrod runs without them.
  const auto walls = examine_walls();
  for (const auto& wall : walls) findings.push_back(describe(wall, &wall == &walls.front()));
  findings.push_back(examine_writable_paths());
  findings.push_back(examine_cgroups(layout.root()));
  findings.push_back(examine_process_limits());
  findings.push_back(examine_open_files(load_settings(layout.settings())));
  findings.push_back(examine_terminals());
  findings.push_back(examine_disk(layout.root()));
  examine_database(layout, findings);
  return findings;
}

bool can_run(const std::vector<Finding>& findings) {
  return std::ranges::all_of(findings, [](const Finding& finding) { return finding.good || !finding.required; });
}

Json to_json(const Finding& finding) {
  return {{"name", finding.name},
          {"good", finding.good},
          {"required", finding.required},
          {"found", finding.found},
          {"lost", finding.good ? "" : finding.lost},
          {"remedy", finding.good ? "" : finding.remedy}};
}

}  // namespace pushrod
