// memory, cpu, processes and open_files of a process type.
// Called by app_manifest.cc. The least values are those with which a program can start at all.
#include "config/limits_section.hh"

#include <cmath>

namespace pushrod {

namespace {
constexpr NumberRange kMemory{std::uint64_t{8} << 20, std::uint64_t{16} << 40};
constexpr NumberRange kProcesses{1, 1'000'000};
constexpr NumberRange kOpenFiles{16, 1'000'000};
constexpr double kLeastProcessor = 0.01;
constexpr double kMostProcessors = 1024;
}  // namespace

std::optional<unsigned> read_processors(TomlSection& section) {
  const auto processors = section.decimal("cpu", kLeastProcessor, kMostProcessors);
  return processors ? std::optional(static_cast<unsigned>(std::lround(*processors * 100))) : std::nullopt;
}

Limits read_limits(TomlSection& process) {
  Limits limits;
  std::uint64_t memory = 0;
  process.size("memory", memory, kMemory);
  if (memory != 0) limits.memory = memory;
  limits.cpu_percent = read_processors(process);
  unsigned processes = 0;
  process.count("processes", processes, kProcesses);
  if (processes != 0) limits.processes = processes;
  std::uint64_t open_files = 0;
  process.count("open_files", open_files, kOpenFiles);
  if (open_files != 0) limits.open_files = open_files;
  return limits;
}

}  // namespace pushrod
