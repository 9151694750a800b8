// pushrod.toml and Procfile of an app → AppManifest.
// Reads both from a checkout and decides which of them says what the processes are.
#include "config/app_manifest.hh"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "base/error.hh"
#include "base/text.hh"
#include "config/app_json.hh"
#include "config/build_section.hh"
#include "config/cron_section.hh"
#include "config/http_section.hh"
#include "config/limits_section.hh"
#include "config/manifest_rules.hh"
#include "config/mounts_section.hh"
#include "config/plain_file.hh"
#include "config/services_section.hh"
#include "config/toml_section.hh"
#include "config/writable_section.hh"
#include "model/environment.hh"
#include "os/files.hh"

namespace pushrod {

namespace {

using namespace std::chrono_literals;

constexpr std::size_t kMostFurtherPorts = 8;  // as many as the shim takes (src/shim/walls.hh)
constexpr std::size_t kLargestFile = std::size_t{256} << 10;
constexpr DurationRange kUpToADay{1ms, 24h};
constexpr DurationRange kSleepAfter{1s, 30 * 24h};
constexpr DurationRange kUpToAnHour{0ms, 1h};

// What an HTTP request line can carry as it is.
bool is_request_path(std::string_view path) {
  constexpr std::size_t kLongestPath = 1000;
  const auto is_allowed = [](char c) { return c > ' ' && c < 0x7f && c != '#'; };
  return path.starts_with('/') && path.size() <= kLongestPath && std::all_of(path.begin(), path.end(), is_allowed);
}

std::optional<Milliseconds> read_optional_duration(TomlSection& section, const std::string& key) {
  Milliseconds value{0};
  section.duration(key, value, kUpToAnHour);
  return section.has(key) ? std::optional(value) : std::nullopt;
}

Health read_health(TomlSection section, bool is_routed) {
  Health health;
  section.duration("timeout", health.timeout, kUpToADay);
  health.settle = read_optional_duration(section, "settle");
  health.watch = read_optional_duration(section, "watch");
  health.path = section.text("path");
  section.refuse_unknown_keys();
  if (health.path && !is_request_path(*health.path)) {
    section.refuse("path", fmt::format("{} is not a request path: {}", section.shown("path"), quoted(*health.path)),
                   "begin it with \"/\", and write spaces, control characters, \"#\" and non-ASCII letters as %XX");
  }
  if (health.path && !is_routed) {
    section.refuse("path", fmt::format("{}: only \"web\" has a port that can be asked", section.shown("path")));
  }
  return health;
}

// Further ports, by the numbers that the app's documentation knows them by.
std::vector<Port> read_further_ports(TomlSection& section) {
  const auto listed = section.counts("ports", {1, 65'535}).value_or(std::vector<std::uint64_t>{});
  if (listed.size() > kMostFurtherPorts) {
    section.refuse("ports", fmt::format("{} lists more than {} ports", section.shown("ports"), kMostFurtherPorts));
  }
  std::vector<Port> ports(listed.begin(), listed.end());
  std::sort(ports.begin(), ports.end());
  if (const auto twice = std::adjacent_find(ports.begin(), ports.end()); twice != ports.end()) {
    section.refuse("ports", fmt::format("{} names {} twice", section.shown("ports"), *twice));
  }
  return ports;
}

Process read_process_table(TomlSection section, ProcessType type, AppManifest& manifest) {
  Process process{.type = std::move(type), .command = {}, .health = {}};
  section.count("count", process.count, {0, kMostInstances});
  section.flag("overlap", process.overlap);
  section.duration("stop_timeout", process.stop_timeout, kUpToADay);
  section.duration("drain_timeout", process.drain_timeout, kUpToADay);
  process.limits = read_limits(section);
  process.ports = read_further_ports(section);
  Milliseconds sleep_after{0};
  section.duration("sleep_after", sleep_after, kSleepAfter);
  if (section.has("sleep_after")) {
    if (!process.is_routed()) {
      section.refuse("sleep_after",
                     fmt::format("{}: only \"web\" can sleep, because requests wake it", section.shown("sleep_after")));
    }
    process.sleep_after = sleep_after;
  }
  if (auto health = section.section("health")) {
    process.health = read_health(*std::move(health), process.is_routed());
  }
  section.flag("sticky", process.sticky);
  if (process.sticky && !process.is_routed()) {
    section.refuse("sticky",
                   fmt::format("{}: only \"web\" has clients that can stay with an instance", section.shown("sticky")));
  }
  read_protocol(section, process);
  // Absent: a Procfile or the builder gives it.
  if (section.has("static")) read_static_files(section, process, manifest);
  const auto command = section.text("command");
  section.refuse_unknown_keys();
  if (command && section.has("static")) {
    section.refuse("static", fmt::format("{} and a command exclude each other", section.shown("static")),
                   "remove one of them: Pushrod runs the server of static files itself");
  }
  if (command) {
    check_command(*command, section.shown("command"), section.place("command"));
    process.command = *command;
  }
  return process;
}

Process read_process(TomlSection& processes, const std::string& name, AppManifest& manifest) {
  const std::string place = processes.place(name);
  if (name == kReleaseType) {
    processes.refuse(name, "\"release\" cannot be a process type, because it does not stay up",
                     "write the release command as [release] command = \"…\"");
  }
  ProcessType type = parse_process_type(name, place);
  if (processes.is_table(name)) return read_process_table(*processes.section(name), std::move(type), manifest);
  const auto command = processes.text(name);
  check_command(*command, processes.shown(name), place);
  return Process{.type = std::move(type), .command = *command, .health = {}};
}

ProcessTable read_processes(TomlSection section, AppManifest& manifest) {
  ProcessTable processes;
  for (const std::string& name : section.keys()) {
    processes.push_back(read_process(section, name, manifest));
    check_number_of_types(processes.size(), section.place(name));
  }
  std::sort(processes.begin(), processes.end(), [](const Process& a, const Process& b) { return a.type < b.type; });
  return processes;
}

// Names that an app's settings must have.
std::vector<std::string> read_required(TomlSection& section) {
  constexpr std::size_t kMost = 200;
  auto names = section.texts("required").value_or(std::vector<std::string>{});
  section.refuse_unknown_keys();
  if (names.size() > kMost) section.refuse("required", fmt::format("required lists more than {} names", kMost));
  for (const auto& name : names) {
    try {
      SettingName::parse(name);
      check_not_reserved(name);
    } catch (const UserError& error) {
      section.refuse("required", fmt::format("{}: {}", section.shown("required"), error.message()), error.hint());
    }
  }
  return names;
}

std::string types_of(const ProcessTable& processes) {
  std::vector<std::string> names;
  for (const Process& process : processes) names.push_back(process.type.str());
  return join(names, ", ");
}

Process* find_type(ProcessTable& processes, const ProcessType& type) {
  const auto found =
      std::find_if(processes.begin(), processes.end(), [&](const Process& process) { return process.type == type; });
  return found == processes.end() ? nullptr : &*found;
}

// Tables without a command add to the lines of the Procfile, so that the Procfile says which types there are.
void add_to_procfile(ProcessTable& manifest, const ProcessTable& procfile) {
  bool some = false;
  for (const Process& process : procfile) {
    auto* more = find_type(manifest, process.type);
    if (more == nullptr || !more->command.empty()) continue;
    more->command = process.command;
    some = true;
  }
  if (!some) return;
  for (const Process& process : procfile) {
    if (find_type(manifest, process.type) == nullptr) manifest.push_back(process);
  }
  std::sort(manifest.begin(), manifest.end(), [](const Process& a, const Process& b) { return a.type < b.type; });
}

void check_commands(const ProcessTable& manifest, const std::string& manifest_name, const ProcessTable& procfile,
                    const std::string& procfile_name) {
  for (const Process& process : manifest) {
    if (!process.command.empty()) continue;
    std::vector<std::string> lines;
    for (const Process& line : procfile) lines.push_back(line.type.str());
    const auto near = nearest(process.type.str(), lines);
    throw UserError(
        fmt::format("[processes.{0}] in {1} has no command, and {2} has no line \"{0}: …\"{3}", process.type.str(),
                    manifest_name, procfile_name, near ? fmt::format("; did you mean \"{}\"?", *near) : ""),
        "give the command in one of the two files");
  }
}

// Two places that say the same are one truth; anything else is refused.
void check_agreement(const ProcessTable& manifest, const std::string& manifest_name, const ProcessTable& procfile,
                     const std::string& procfile_name) {
  const std::string hint = fmt::format("name the processes in one place: remove {} or [processes]", procfile_name);
  const auto same_type = [](const Process& a, const Process& b) { return a.type == b.type; };
  if (!std::equal(manifest.begin(), manifest.end(), procfile.begin(), procfile.end(), same_type)) {
    throw UserError(fmt::format("{} and {} name different processes ({}; {})", manifest_name, procfile_name,
                                types_of(manifest), types_of(procfile)),
                    hint);
  }
  for (std::size_t at = 0; at < manifest.size(); ++at) {
    if (manifest[at].command == procfile[at].command) continue;
    throw UserError(
        fmt::format("{} and {} give {} different commands ({} and {})", manifest_name, procfile_name,
                    quoted(manifest[at].type.str()), quoted(manifest[at].command), quoted(procfile[at].command)),
        hint);
  }
}

void add_procfile(AppManifest& manifest, const std::string& manifest_name, ProcessTable procfile,
                  const std::string& procfile_name) {
  const auto release = std::find_if(procfile.begin(), procfile.end(),
                                    [](const Process& process) { return process.type.str() == kReleaseType; });
  if (release != procfile.end()) {
    if (manifest.release_command) {
      throw UserError(
          fmt::format("{} and {} both give a release command", manifest_name, procfile_name),
          fmt::format("remove [release] from {}, or the line \"release\" from {}", manifest_name, procfile_name));
    }
    manifest.release_command = release->command;
    procfile.erase(release);
  }
  if (procfile.empty()) return;
  if (manifest.processes.empty()) {
    manifest.processes = std::move(procfile);
    return;
  }
  add_to_procfile(manifest.processes, procfile);
  check_commands(manifest.processes, manifest_name, procfile, procfile_name);
  check_agreement(manifest.processes, manifest_name, procfile, procfile_name);
}

// Other programs have such a file, too, and may have it as a symlink or of any size.
std::optional<std::string> readable_app_json(const std::filesystem::path& directory) {
  try {
    return read_plain_file(directory / "app.json", "app.json", kLargestFile, Symlinks::Refuse);
  } catch (const UserError&) {
    return std::nullopt;
  }
}

bool has_all_commands(const ProcessTable& processes) {
  return std::none_of(processes.begin(), processes.end(),
                      [](const Process& process) { return process.command.empty(); });
}

// The file that the operator has chosen. Its path starts at the root of the repo.
std::string read_config(const std::filesystem::path& directory, const std::string& shown_path,
                        const std::string& config) {
  auto tree = directory;
  const std::size_t depth = shown_path.empty() ? 0 : split(shown_path, '/').size();
  for (std::size_t part = 0; part < depth; ++part) tree = tree.parent_path();
  const auto folder = std::filesystem::path(config).parent_path();
  auto there = tree;
  bool is_there = true;
  for (const auto& part : folder) is_there = is_there && is_directory(there /= part);
  if (is_there) {
    if (auto text = read_plain_file(tree / config, escaped(config), kLargestFile, Symlinks::Refuse)) {
      return *std::move(text);
    }
  }
  throw UserError(fmt::format("the commit has no file {}, the manifest of the app (--config)", quoted(config)),
                  "push a commit that has it (the path starts at the root of the repo), or choose another file");
}

// The app's path is the operator's, but what lies there is the commit's: a symlink could lead out of the checkout.
void check_directories(std::filesystem::path directory, const std::string& shown_path) {
  const std::size_t parts = shown_path.empty() ? 0 : split(shown_path, '/').size();
  for (std::size_t part = 0; part <= parts; ++part) {
    if (!is_directory(directory)) {
      throw UserError(fmt::format("the commit has no directory {} (a symbolic link does not count)",
                                  quoted(shown_path.empty() ? "." : shown_path)),
                      "push a commit that has it, or give the app another --path");
    }
    directory = directory.parent_path();
  }
}

}  // namespace

AppManifest parse_manifest(const std::string& text, const std::string& file_name) {
  const TomlDocument document(text, file_name);
  TomlSection top = document.top();
  AppManifest manifest;
  if (auto processes = top.section("processes")) manifest.processes = read_processes(*std::move(processes), manifest);
  if (auto build = top.section("build")) read_build(*build, manifest);
  if (auto release = top.section("release")) {
    release->flag("hold", manifest.hold_for_release);
    release->flag("snapshot", manifest.snapshot_for_release);
    // The command may come from the Procfile.
    if (release->has("command") || !manifest.snapshot_for_release) {
      manifest.release_command = read_command_and_no_more(*release);
    }
    release->refuse_unknown_keys();
  }
  if (auto settings = top.section("settings")) manifest.required_settings = read_required(*settings);
  if (auto app = top.section("app")) {
    manifest.writable = read_writable(*app);
    app->refuse_unknown_keys();
  }
  if (auto backup = top.section("backup")) {
    manifest.backup_before = backup->text("before");
    backup->refuse_unknown_keys();
    if (!manifest.backup_before) backup->refuse({}, fmt::format("{} is missing", backup->shown("before")));
    check_command(*manifest.backup_before, backup->shown("before"), backup->place("before"));
  }
  manifest.http = read_http_rules(top);
  if (auto services = top.section("services")) manifest.services = read_services(*std::move(services));
  if (auto mounts = top.section("mounts")) manifest.host_mounts = read_host_mounts(*std::move(mounts));
  manifest.crons = read_crons(top, manifest.processes);
  top.refuse_unknown_keys();
  return manifest;
}

AppManifest load_manifest(const std::filesystem::path& directory, const std::string& shown_path,
                          const std::string& config) {
  check_directories(directory, shown_path);
  const auto shown = [&](const char* name) {
    return shown_path.empty() ? std::string(name) : fmt::format("{}/{}", escaped(shown_path), name);
  };
  const std::string manifest_name = config.empty() ? shown("pushrod.toml") : escaped(config);
  const std::string procfile_name = shown("Procfile");
  AppManifest manifest;
  const auto text = config.empty()
                        ? read_plain_file(directory / "pushrod.toml", manifest_name, kLargestFile, Symlinks::Refuse)
                        : read_config(directory, shown_path, config);
  if (text) manifest = parse_manifest(*text, manifest_name);
  const bool is_chosen = !config.empty() && !manifest.processes.empty();
  if (is_chosen && has_all_commands(manifest.processes)) return manifest;
  if (const auto procfile = read_plain_file(directory / "Procfile", procfile_name, kLargestFile, Symlinks::Refuse)) {
    add_procfile(manifest, manifest_name, parse_procfile(*procfile, procfile_name), procfile_name);
  }
  if (!is_chosen) {
    if (const auto json = readable_app_json(directory)) add_app_json(*json, manifest);
  }
  return manifest;
}

}  // namespace pushrod
