// app list; repo list.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/error.hh"
#include "base/text.hh"
#include "cli/grammar.hh"
#include "cli/output.hh"
#include "cli/verbs.hh"
#include "operate/app_views.hh"

namespace pushrod {

namespace {

// "2", or "1 of 2" when some do not run.
std::string instances_of(const AppLine& line) {
  const bool all = line.running >= line.instances || line.state == "asleep";
  return all ? std::to_string(line.instances) : fmt::format("{} of {}", line.running, line.instances);
}

int app_list(Context& context, bool json) {
  const auto lines = list_apps(context);
  auto list = Json::array();
  Table table({"APP", "STATE", "RELEASE", "INSTANCES", "REPO", "BRANCH"});
  for (const auto& line : lines) {
    list.push_back(to_json(line));
    table.add({line.app.name.str(), line.state, line.app.live ? std::to_string(*line.app.live) : "-",
               instances_of(line), line.app.repo.str(), line.app.branch.str()});
  }
  if (json) {
    print_json(list);
  } else if (lines.empty()) {
    print("There are no apps. To create one: pushrod app create NAME\n");
  } else {
    context.note_if_down();
    print(table.str());
  }
  return kExitOk;
}

int repo_list(Context& context, bool json) {
  auto list = Json::array();
  Table table({"REPO", "BRANCH", "APPS"});
  for (const auto& line : list_repos(context)) {
    list.push_back(to_json(line));
    for (const auto& [branch, apps] : line.branches) table.add({line.repo.str(), branch, join(apps, ", ")});
  }
  if (json) {
    print_json(list);
  } else {
    print(table.is_empty() ? "There are no repos. The first app creates one: pushrod app create NAME\n" : table.str());
  }
  return kExitOk;
}

}  // namespace

void add_app_list_verbs(Grammar& grammar) {
  const auto json = std::make_shared<bool>(false);
  grammar.verb("app", "list", "all apps", [json](Context& context) { return app_list(context, *json); }).json(*json);
  grammar.describe_group("repo", "the repos");
  grammar
      .verb("repo", "list", "all repos, their branches and apps",
            [json](Context& context) { return repo_list(context, *json); })
      .json(*json);
}

}  // namespace pushrod
