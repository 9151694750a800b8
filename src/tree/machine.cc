#include "tree/machine.hh"

#include <fmt/format.h>
#include <grp.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "base/error.hh"
#include "base/text.hh"
#include "config/settings_file.hh"
#include "deploy/backup.hh"
#include "deploy/certificates.hh"
#include "deploy/host_mounts.hh"
#include "deploy/layers.hh"
#include "engine/local/machine.hh"
#include "operate/backup_state.hh"
#include "os/disk_use.hh"
#include "os/files.hh"
#include "os/pty.hh"
#include "services/services.hh"

namespace pushrod {

namespace {

Finding examine_open_files(const Settings& settings) {
  const auto [files, connections] = connection_limit();
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

// What builds share. Nothing is wrong with any number of them.
Finding examine_layers(const Layout& layout, const std::set<std::string>& used) {
  const auto names = list_directory(layout.layers());
  const auto bytes = measure_disk_use(layout.layers()).bytes;
  const auto in_use = std::count_if(names.begin(), names.end(), [&](const auto& name) { return used.contains(name); });
  return {"layers", true, false, fmt::format("{}, {} in use, {}", names.size(), in_use, format_bytes(bytes)), "", ""};
}

// Which types of services can be created here, and those that are there and cannot run.
void examine_services(Session& session, std::vector<Finding>& findings) {
  for (const auto* type : service_types()) {
    std::vector<std::string> versions;
    for (const auto& server : type->installed()) versions.push_back(server.version);
    findings.push_back({std::string(type->name()), !versions.empty(), false,
                        versions.empty() ? "not found" : join(versions, ", "),
                        fmt::format("services of type {}", type->name()), install_command(*type, {})});
  }
  for (const auto& service : session.store().services()) {
    const auto look = look_at(session.platform().services(), service);
    if (look.problem.empty()) continue;
    findings.push_back({"service " + service.name.str(), false, false, std::string(to_string(look.condition)),
                        "the service", look.problem, true});
  }
}

// One for each directory that apps may mount.
void examine_mounts(const Layout& layout, std::vector<Finding>& findings) {
  for (const auto& [name, offered] : load_settings(layout.settings()).mounts) {
    const auto why = why_unfit(layout, offered);
    std::vector<std::string> apps;
    for (const auto& app : offered.apps) apps.push_back(app.str());
    findings.push_back(
        {"mount " + name.str(), why.empty(), false,
         why.empty() ? fmt::format("{}{}, for {}", escaped(offered.path), offered.read_only ? ", read-only" : "",
                                   apps.empty() ? "no app" : join(apps, ", "))
                     : why,
         fmt::format("deployments and restarts of the apps that mount it: {}", join(apps, ", ")),
         fmt::format("make the directory fit, or change [mounts.{}] in server.toml (docs/settings.md)", name.str()),
         true});
  }
}

// One for each that expires soon, and for each host for which the last order failed.
void examine_certificates(Session& session, std::vector<Finding>& findings) {
  for (const auto& [host, warning] : certificate_warnings(session.platform(), now())) {
    findings.push_back({fmt::format("certificate of {}", host.unicode()), false, false, warning, "https for this host",
                        fmt::format("see `pushrod cert show {}`, docs/domains.md", host.unicode()), true});
  }
}

// What apps have written. Nothing is wrong with any size, unless [limits] says so.
Finding examine_data(Session& session) {
  constexpr DiskUseLimits kQuickLook{2'000'000, Milliseconds{5'000}};
  std::vector<std::string> texts;
  for (const auto& app : session.store().apps()) {
    const auto use = measure_disk_use(session.layout().data(app.name), kQuickLook);
    texts.push_back(fmt::format("{} {}{}", app.name.str(), use.complete ? "" : "more than ", format_bytes(use.bytes)));
  }
  return {"/data of apps", true, false, texts.empty() ? "no apps" : join(texts, ", "), "", ""};
}

// The platform, all apps and all services that keep something.
std::vector<BackupSubject> subjects_of_backups(const Store& store) {
  std::vector<BackupSubject> subjects{{}};
  for (const auto& app : store.apps()) subjects.push_back(BackupSubject::of(app.name));
  for (const auto& service : store.services()) {
    if (type_of(service).keeps_data() && service.state != ServiceState::Creating) {
      subjects.push_back(BackupSubject::of(service.name));
    }
  }
  return subjects;
}

// One for all that have no backups, and one for each whose backups are no good.
void examine_backups(Session& session, std::vector<Finding>& findings) {
  std::vector<std::string> without;
  for (const auto& of : subjects_of_backups(session.store())) {
    const auto state = backup_state(session, of);
    if (!state.is_scheduled && !state.last_good && is_part_of_all(session.store(), of)) without.push_back(shown(of));
    if (state.problem.empty()) continue;
    const auto words = of.is_platform() ? "--all" : of.name + (of.is_service() ? " --service" : "");
    findings.push_back({"backup of " + shown(of), false, false, described(state),
                        "what it has lost since its last good backup",
                        fmt::format("see `pushrod backup list`; try it: pushrod backup create {}", words), true});
  }
  findings.push_back({"backups", without.empty(), false,
                      without.empty() ? "everything is backed up" : "none of " + join(without, ", "),
                      "data, when the disk or the machine is lost",
                      "docs/backup.md: pushrod backup target add, backup schedule --all"});
}

// Nothing where there is no database yet. True when there is a good one.
bool examine_database(const Layout& layout, std::vector<Finding>& findings) {
  if (!is_plain_file(layout.database())) return false;
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
  return finding.good;
}

}  // namespace

std::vector<Finding> examine_machine(Session& session) {
  session.require_admin();
  const auto& layout = session.layout();
  auto findings = examine_tools();
  for (auto& finding : session.engine().examine()) findings.push_back(std::move(finding));
  findings.push_back(examine_open_files(load_settings(layout.settings())));
  findings.push_back(examine_terminals());
  findings.push_back(examine_disk(layout.root()));
  examine_mounts(layout, findings);
  if (examine_database(layout, findings)) {
    findings.push_back(examine_layers(layout, layers_in_use(session.platform())));
    examine_certificates(session, findings);
    findings.push_back(examine_data(session));
    examine_backups(session, findings);
    examine_services(session, findings);
  }
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
