// Puts the advice together, in the order in which an author would act on it.
#include "build/advice.hh"

#include <fmt/format.h>

#include "base/text.hh"
#include "build/python_packages.hh"
#include "build/wanted_versions.hh"
#include "os/files.hh"

namespace pushrod {

namespace {

// Says which command was guessed, since no file names one.
std::string told_guess(const AppManifest& manifest, const BuildPlan& plan) {
  if (!plan.guessed_web || !manifest.processes.empty() || !plan.default_processes.empty()) return {};
  if (plan.guessed_web->command == "npm start") return {};
  return fmt::format("no Procfile, no [processes] in pushrod.toml: web runs \"{}\"; commit a Procfile if that is wrong",
                     escaped(plan.guessed_web->command, 200));
}

void append(std::vector<std::string>& lines, const std::vector<std::string>& more) {
  lines.insert(lines.end(), more.begin(), more.end());
}

}  // namespace

void advise(const std::filesystem::path& directory, const AppManifest& manifest, const Host& host, BuildPlan& plan) {
  const Situation situation{
      .directory = directory,
      .names = list_directory(directory),
      .runs = !manifest.processes.empty() || !plan.default_processes.empty() || plan.guessed_web.has_value(),
      .own_build = plan.builder == "command" || plan.builder == "script",
      .built = plan.language,
      .ignored = manifest.ignored};
  append(plan.notices, misnamed_files(situation));
  const auto others = other_languages(situation, host);
  append(plan.notices, others.lines);
  // A Dockerfile says how the app runs; a file's name is only a guess.
  if (plan.usual_command.empty() ||
      (situation.built.empty() && in_tree(directory, "Dockerfile") && !others.command.empty())) {
    plan.usual_command = others.command;
  }
  if (plan.remedy.empty()) plan.remedy = others.remedy;
  if (!situation.own_build && plan.builder != "python") append(plan.notices, unused_python_files(directory, ""));
  if (plan.builder != "python") append(plan.notices, unmet_node_versions(directory, host, plan.has_own_node));
  if (situation.built.empty()) append(plan.notices, unmet_python_versions(directory, host, "python3"));
  append(plan.notices, files_of_other_platforms(situation));
  append(plan.notices, likely_mistakes(situation));
  if (auto guess = told_guess(manifest, plan); !guess.empty()) plan.notices.push_back(std::move(guess));
}

}  // namespace pushrod
