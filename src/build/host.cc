// What there is on the machine.
#include <unistd.h>

#include <algorithm>

#include "base/error.hh"
#include "build/builders.hh"
#include "os/command.hh"

namespace pushrod {

bool Host::has_program(const std::string& name) const {
  return std::any_of(
      program_directories.begin(), program_directories.end(),
      [&](const std::filesystem::path& directory) { return access((directory / name).c_str(), X_OK) == 0; });
}

std::string Host::server(const std::string& name) const {
  for (const std::filesystem::path& directory : server_directories) {
    const auto program = directory / name;
    if (access(program.c_str(), X_OK) == 0) return program.string();
  }
  return {};
}

std::string Host::version_of(const std::string& name) const {
  for (const std::filesystem::path& directory : program_directories) {
    const auto program = directory / name;
    if (access(program.c_str(), X_OK) != 0) continue;
    Command command;
    command.argv = {program.string(), "--version"};
    command.deadline = Milliseconds{10'000};
    command.output_cap = 4096;
    try {
      const auto result = run(command);
      return result.ok() ? result.out : std::string{};
    } catch (const Error&) {
      return {};  // it cannot be started
    }
  }
  return {};
}

}  // namespace pushrod
