// The configuration is replaced last and atomically; everything that it names is there before.
#include "router/files.hh"

#include <fmt/format.h>

#include <set>

#include "base/error.hh"
#include "base/text.hh"
#include "os/command.hh"
#include "os/files.hh"
#include "router/hold_script.hh"
#include "router/pages.hh"

namespace pushrod {

namespace {

constexpr const char* kCandidate = "haproxy.cfg.new";

// HAProxy's own opinion of a file in the directory.
void check(const fs::path& directory, const std::string& file) {
  Command command;
  command.argv = {"haproxy", "-c", "-C", directory.string(), "-f", file};
  command.deadline = Milliseconds{30'000};
  const auto result = run(command);
  if (result.ok()) return;
  Error error(
      "HAProxy refuses the new configuration; the old one stays in force (haproxy -c: " + result.describe() + ")",
      "is an address in server.toml wrong?");
  std::vector<std::string> evidence;
  for (const auto& line : lines_of(result.out + result.err)) {
    if (!line.starts_with("[NOTICE]")) evidence.push_back(escaped(line));
  }
  error.set_evidence(std::move(evidence));
  throw error;
}

constexpr const char* kOwnPage = "own.";

void write_if_new(const fs::path& file, const std::string& text) {
  if (read_file(file) != text) write_file(file, text, 0600, false);
}

// The pages first, so that each one that the map names exists.
void write_modes(const fs::path& directory, const RoutingTable& table) {
  make_directory(directory / "pages");
  for (const auto& app : table.apps) {
    if (app.mode == TrafficMode::Maintenance && !app.page.empty()) {
      write_if_new(directory / mode_of(app), app.page);
    }
  }
  write_if_new(directory / kModesFile, render_modes(table));
}

bool is_host_map(const std::string& name) { return name.starts_with("hosts.") && name.ends_with(".map"); }

}  // namespace

void install_files(const fs::path& directory, const Rendering& rendering, const RoutingTable& table) {
  const auto& [mark, config, host_map] = rendering;
  const auto before = read_file(directory / kConfigFile);
  const auto modes_before = read_file(directory / kModesFile);
  write_modes(directory, table);
  if (before == config) return;
  if (before && before->find(host_map_file(mark)) != std::string::npos) {
    write_file(directory / kConfigFile, config, 0600, false);
    return;
  }

  write_file(directory / kHoldScript, render_hold_script(), 0600, false);
  for (const auto& page : render_pages()) write_file(directory / page.file(), page.response, 0600, false);
  const auto map = directory / host_map_file(mark);
  write_file(map, host_map, 0600, false);
  write_file(directory / kCandidate, config, 0600, false);
  try {
    check(directory, kCandidate);
  } catch (...) {
    remove_file(directory / kCandidate);
    remove_file(map);
    if (modes_before) write_file(directory / kModesFile, *modes_before, 0600, false);
    throw;
  }
  rename_path(directory / kCandidate, directory / kConfigFile);
  for (const auto& name : list_directory(directory)) {
    if (is_host_map(name) && name != map.filename()) remove_file(directory / name);
  }
}

void remove_old_pages(const fs::path& directory, const RoutingTable& table) {
  std::set<std::string> wanted;
  for (const auto& app : table.apps) wanted.insert(fs::path(mode_of(app)).filename());
  for (const auto& name : list_directory(directory / "pages")) {
    if (name.starts_with(kOwnPage) && !wanted.contains(name)) remove_file(directory / "pages" / name);
  }
}

void remove_leftovers(const fs::path& directory) {
  for (const auto& name : list_directory(directory)) {
    if (name.ends_with(".sock") || name == kProcessFile) remove_file(directory / name);
  }
}

}  // namespace pushrod
