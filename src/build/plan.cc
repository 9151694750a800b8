// What can be told from a build plan alone.
#include "build/plan.hh"

#include <fmt/format.h>

#include "base/text.hh"

namespace pushrod {

std::string script(const std::vector<BuildStep>& steps) {
  std::string text;
  for (const auto& step : steps) {
    const std::string command(trim(step.command));
    text +=
        step.directory.empty() ? command + "\n" : fmt::format("(cd {} && {})\n", shell_quoted(step.directory), command);
  }
  return text;
}

std::string told(const std::vector<BuildStep>& steps) {
  std::vector<std::string> words;
  for (const auto& step : steps) {
    const auto command = trim(step.command);
    const auto end = command.find('\n');
    words.push_back(!step.shown.empty()   ? step.shown
                    : end == command.npos ? std::string(command)
                                          : fmt::format("{} …", trim(command.substr(0, end))));
  }
  return join(words, ", ");
}

std::map<std::string, std::string> cache_variables(const BuildPlan& plan) {
  std::map<std::string, std::string> variables;
  for (const auto& cache : plan.caches) variables[cache.variable] = "/cache/" + cache.directory;
  return variables;
}

}  // namespace pushrod
