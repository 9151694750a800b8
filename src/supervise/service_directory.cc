// Renders service directories (s6's servicedir.html) for instances and for Pushrod's own services.
// Nothing in them is a script: ./run is pushrod-shim, which reads ./spec.
#include "supervise/service_directory.hh"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/error.hh"
#include "os/files.hh"

namespace pushrod {

using namespace std::string_literals;

namespace {

constexpr std::uint64_t kSmallestLog = 64 << 10;
constexpr std::uint64_t kLargestLogFile = 100'000'000;
constexpr std::uint64_t kLogFiles = 10;
constexpr std::uint64_t kLongestRecord = 256 << 10;
// s6-log rotates after what it has read in one go, 8 KiB; a stamp for each of 8,192 empty lines makes that 220 kB. A
// long line is written as a whole.
constexpr std::uint64_t kLogOvershoot = (256 << 10) + kLongestRecord;
constexpr const char* kNotificationFd = "3\n";

void write_common(const fs::path& directory, const fs::path& shim, const std::string& spec) {
  make_directory(directory);
  link_to(directory / "run", shim);
  write_file(directory / "spec", spec, 0600, false);
  // The shim tells that it has begun, and so s6 counts the second between two starts from there and not from the death:
  // a process that has lived for longer is back at once.
  write_file(directory / "notification-fd", kNotificationFd, 0600, false);
  // s6-supervise would make it. It must be there before, to be watched for what happens in it.
  make_directory(directory / "supervise");
}

}  // namespace

void link_to(const fs::path& path, const fs::path& target) {
  while (symlink(target.c_str(), path.c_str()) != 0) {
    if (errno != EEXIST) throw_errno("make symlink " + path.native());
    remove_file(path);
  }
}

std::size_t longest_log_record(std::uint64_t log_bytes) {
  return std::min(std::max(log_bytes, kSmallestLog) / 8, kLongestRecord);
}

std::vector<std::string> log_arguments(const fs::path& log_directory, std::uint64_t log_bytes) {
  const std::uint64_t cap = std::max(log_bytes, kSmallestLog);
  const std::uint64_t file = std::min(cap / kLogFiles, kLargestLogFile);
  const std::uint64_t archive = cap - file - std::min(cap / 4, kLogOvershoot);
  // -b: what cannot be written yet is not read, so that memory is bounded. -p: SIGTERM to everything (systemd) must not
  // end the logger before what it logs; it ends at the end of its input. -l: a line of 1 GB is split.
  return {"s6-log",
          "-bp",
          fmt::format("-l{}", longest_log_record(log_bytes)),
          "--",
          fmt::format("n{}", archive / file + 1),
          fmt::format("s{}", file),
          fmt::format("S{}", archive),
          "t",
          log_directory.native()};
}

std::string render_log_spec(const Service& service) {
  auto arguments = log_arguments(service.log_directory, service.log_bytes);
  if (const auto& branch = service.log_branch) {
    // None but those with the mark; then those of which nothing has become yet.
    auto selection = log_arguments(branch->directory, service.log_bytes);
    const auto script = std::find(selection.begin(), selection.end(), "--") + 1;
    selection.insert(script, {"-^", "+^" + branch->mark});
    selection.emplace_back("f");
    for (const auto& part : branch->dropped) selection.push_back("-" + part);
    selection.insert(selection.end(), std::find(arguments.begin(), arguments.end(), "--") + 1, arguments.end());
    arguments = std::move(selection);
  }
  std::string spec = "mode=exec\0keep_stderr=1\0"s;
  // A line for each request: waking the logger for each would take a fifth of the router's time.
  if (service.log_branch) spec += "gather=1\0"s;
  for (const std::string& argument : arguments) spec += "arg=" + argument + '\0';
  return spec;
}

void render_service(const Service& service, const fs::path& shim, const fs::path& directory) {
  write_common(directory, shim, service.spec);
  write_file(directory / "timeout-kill", fmt::format("{}\n", std::max<std::int64_t>(service.stop_timeout.count(), 1)),
             0600, false);
  write_file(directory / "down-signal", fmt::format("{}\n", service.stop_signal), 0600, false);
  make_directory(service.log_directory);
  if (service.log_branch) make_directory(service.log_branch->directory);
  write_common(directory / "log", shim, render_log_spec(service));
}

}  // namespace pushrod
