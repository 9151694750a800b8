// The environment and the argument vector of every git that we run.
// Repository, checkout and tree check all start git through here.
#include "git/git_command.hh"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <thread>

#include "base/text.hh"

namespace pushrod {

namespace {

// How receive-pack shows the objects that are not accepted yet to the pre-receive hook (git-receive-pack(1)).
constexpr const char* kQuarantineVariables[] = {"GIT_QUARANTINE_PATH", "GIT_OBJECT_DIRECTORY",
                                                "GIT_ALTERNATE_OBJECT_DIRECTORIES"};

}  // namespace

Environment git_environment(bool keep_quarantine) {
  Environment environment = tool_environment();
  environment["GIT_CONFIG_GLOBAL"] = "/dev/null";
  environment["GIT_CONFIG_NOSYSTEM"] = "1";
  environment["GIT_ATTR_NOSYSTEM"] = "1";
  environment["GIT_TERMINAL_PROMPT"] = "0";
  environment["GIT_OPTIONAL_LOCKS"] = "0";
  if (keep_quarantine) {
    for (const char* variable : kQuarantineVariables) {
      if (const char* value = std::getenv(variable)) environment[variable] = value;
    }
  }
  return environment;
}

Confinement git_confinement(std::uint64_t memory) { return {memory - memory / 32, true}; }

void configure(Environment& environment, const std::map<std::string, std::string>& settings) {
  std::size_t count = 0;
  for (const auto& [key, value] : settings) {
    environment[fmt::format("GIT_CONFIG_KEY_{}", count)] = key;
    environment[fmt::format("GIT_CONFIG_VALUE_{}", count++)] = value;
  }
  environment["GIT_CONFIG_COUNT"] = std::to_string(count);
}

std::string few_threads() { return std::to_string(std::clamp(std::thread::hardware_concurrency(), 1u, 4u)); }

Command git_command(const Repository& repository, std::vector<std::string> arguments, bool keep_quarantine) {
  Command command;
  command.confinement = git_confinement(repository.memory());
  command.argv = {"git", "--git-dir=" + repository.directory().string()};
  command.argv.insert(command.argv.end(), std::make_move_iterator(arguments.begin()),
                      std::make_move_iterator(arguments.end()));
  command.environment = git_environment(keep_quarantine);
  return command;
}

std::vector<std::string> git_evidence(const CommandResult& result) {
  constexpr std::size_t kLines = 20;
  std::vector<std::string> lines = lines_of(result.err);
  if (lines.size() > kLines) lines.resize(kLines);
  for (std::string& line : lines) line = plain_text(line);
  return lines;
}

}  // namespace pushrod
