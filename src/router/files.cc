// The configuration is replaced last and atomically; everything that it names is there before.
// Floor 3.
#include "router/files.hh"

#include <fmt/format.h>

#include "base/error.hh"
#include "base/text.hh"
#include "os/command.hh"
#include "os/files.hh"
#include "router/haproxy_config.hh"
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

bool is_host_map(const std::string& name) { return name.starts_with("hosts.") && name.ends_with(".map"); }

}  // namespace

void install_files(const fs::path& directory, const Settings& settings, const RoutingTable& table) {
  const auto config = render_haproxy_config(settings, table);
  const auto mark = structure_mark(settings, table);
  const auto before = read_file(directory / kConfigFile);
  if (before == config) return;
  if (before && before->find(host_map_file(mark)) != std::string::npos) {
    write_file(directory / kConfigFile, config, 0600, false);
    return;
  }

  make_directory(directory / "pages");
  for (const auto& page : render_pages()) write_file(directory / page.file(), page.response, 0600, false);
  const auto map = directory / host_map_file(mark);
  write_file(map, render_host_map(table), 0600, false);
  write_file(directory / kCandidate, config, 0600, false);
  try {
    check(directory, kCandidate);
  } catch (...) {
    remove_file(directory / kCandidate);
    remove_file(map);
    throw;
  }
  rename_path(directory / kCandidate, directory / kConfigFile);
  for (const auto& name : list_directory(directory)) {
    if (is_host_map(name) && name != map.filename()) remove_file(directory / name);
  }
}

void remove_leftovers(const fs::path& directory) {
  for (const auto& name : list_directory(directory)) {
    if (name.ends_with(".sock") || name == kProcessFile) remove_file(directory / name);
  }
}

}  // namespace pushrod
