// Everything that a file names is there before the file. The configuration, with the servers, comes before the maps of
// slots and hosts: a slot that gets another app has that app's servers before a host leads there.
#include "router/files.hh"

#include <fmt/format.h>

#include "base/error.hh"
#include "base/text.hh"
#include "os/command.hh"
#include "os/files.hh"
#include "router/hold_script.hh"
#include "router/listeners.hh"
#include "router/pages.hh"

namespace pushrod {

namespace {

constexpr const char* kCandidate = "haproxy.cfg.new";

// HAProxy's own opinion of a file in the directory.
void check(const fs::path& directory, const std::string& file) {
  Command command;
  command.environment = bind_to_nothing();
  command.argv = {"haproxy", "-c", "-C", directory.string(), "-f", file};
  command.deadline = Milliseconds{30'000};
  const auto result = run(command);
  if (result.ok()) return;
  Error error("HAProxy rejected the new configuration and keeps the old one (haproxy -c: " + result.describe() + ")",
              "check server.toml");
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
void write_modes(const fs::path& directory, const Rendering& rendering) {
  make_directory(directory / "pages");
  for (const auto& [file, page] : rendering.own_pages) write_if_new(directory / file, page);
  write_if_new(directory / kModesFile, render_map(rendering.maps.modes));
  write_if_new(directory / kHttpFile, render_map(rendering.maps.http));
  write_if_new(directory / kErrorsFile, render_map(rendering.maps.errors));
}

void write_config(const fs::path& directory, const Rendering& rendering) {
  const auto before = read_file(directory / kConfigFile);
  if (before == rendering.config) return;
  if (before && before->find(fmt::format("description {}\n", rendering.mark)) != std::string::npos) {
    write_file(directory / kConfigFile, rendering.config, 0600, false);
    return;
  }
  write_file(directory / kHoldScript, render_hold_script(), 0600, false);
  for (const auto& page : render_pages()) write_file(directory / page.file(), page.response, 0600, false);
  install_ticket_keys(directory);
  for (const char* map : {kHostsFile, kSlotsFile}) {
    if (!read_file(directory / map)) write_file(directory / map, "", 0600, false);
  }
  write_file(directory / kCandidate, rendering.config, 0600, false);
  try {
    check(directory, kCandidate);
  } catch (...) {
    remove_file(directory / kCandidate);
    throw;
  }
  rename_path(directory / kCandidate, directory / kConfigFile);
}

}  // namespace

void install_files(const fs::path& directory, const Rendering& rendering) {
  const auto modes_before = read_file(directory / kModesFile);
  write_modes(directory, rendering);
  install_certificates(directory, rendering.certificates);
  try {
    write_config(directory, rendering);
  } catch (...) {
    if (modes_before) write_file(directory / kModesFile, *modes_before, 0600, false);
    throw;
  }
  write_if_new(directory / kSlotsFile, render_map(rendering.maps.slots));
  write_if_new(directory / kHostsFile, render_map(rendering.maps.hosts));
}

Slots installed_slots(const fs::path& directory) {
  return parse_slots(read_file(directory / kConfigFile).value_or(""), read_file(directory / kSlotsFile).value_or(""));
}

void remove_old_pages(const fs::path& directory, const Rendering& rendering) {
  for (const auto& name : list_directory(directory / "pages")) {
    const auto file = fmt::format("pages/{}", name);
    if (name.starts_with(kOwnPage) && !rendering.own_pages.contains(file)) remove_file(directory / file);
  }
}

}  // namespace pushrod
