// deployments, deployment; redeploy, cancel.
#include "operate/deployments.hh"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/error.hh"
#include "base/text.hh"
#include "cli/change.hh"
#include "cli/grammar.hh"
#include "cli/output.hh"
#include "cli/verbs.hh"

namespace pushrod {

namespace {

std::string shown(const std::optional<CommitId>& commit) { return commit ? abbreviated(*commit) : "-"; }

int deployments(Context& context, const std::string& app, unsigned most, bool json) {
  auto list = Json::array();
  Table table({"NUMBER", "STATE", "KIND", "COMMIT", "BY", "STARTED (UTC)", "TOOK", "WHAT"});
  for (const auto& view : list_deployments(context, AppName::parse(app), most)) {
    list.push_back(to_json(view));
    const auto& deployment = view.deployment;
    const auto took = view.duration();
    table.add({std::to_string(deployment.number), shown_state(view), std::string(to_string(deployment.kind)),
               shown(deployment.commit), deployment.author, format_time(deployment.started),
               took ? format_duration(*took) : "-", deployment.detail});
  }
  if (json) {
    print_json(list);
  } else {
    print(table.is_empty() ? fmt::format("App {} has never been deployed.\n", app) : table.str());
  }
  return kExitOk;
}

int deployment(Context& context, const std::string& app, ReleaseNumber number, bool json) {
  const auto view = require_deployment(context, AppName::parse(app), number);
  if (json) {
    print_json(to_json(view));
    return kExitOk;
  }
  const auto& found = view.deployment;
  auto text = fmt::format("Deployment {} of {}: {} ({} by {})\n", found.number, app, shown_state(view),
                          to_string(found.kind), escaped(found.author));
  text += fmt::format("  commit     {}  (before: {})\n", shown(found.commit), shown(found.previous));
  text += fmt::format("  started    {}\n", format_time(found.started));
  if (!found.detail.empty()) text += fmt::format("  what       {}\n", escaped(found.detail));
  for (const auto& step : found.steps) {
    const auto time =
        step.ended ? format_duration(std::chrono::duration_cast<Milliseconds>(*step.ended - step.started)) : "…";
    text += fmt::format("  {:<10} {}\n", to_string(step.step), time);
  }
  if (const auto took = view.duration()) text += fmt::format("  took       {}\n", format_duration(*took));
  if (!found.error.empty()) text += fmt::format("  why        {}\n", escaped(found.error));
  if (!found.hint.empty()) text += fmt::format("  what next  {}\n", escaped(found.hint));
  text += fmt::format("  its log    logs {} --deployment {}\n", app, found.number);
  print(text);
  return kExitOk;
}

int cancel(Context& context, const std::string& app) {
  for (const auto number : cancel_deployments(context, AppName::parse(app))) {
    print(fmt::format("Cancelling deployment {} of {}.\n", number, app));
  }
  return kExitOk;
}

}  // namespace

void add_deployment_verbs(Grammar& grammar) {
  struct Words {
    std::string app;
    unsigned most = 20;
    ReleaseNumber number = 0;
    bool json = false;
    bool no_cache = false;
  };
  const auto words = std::make_shared<Words>();
  grammar
      .verb("deployments", "the deployments of an app",
            [words](Context& context) { return deployments(context, words->app, words->most, words->json); })
      .app(words->app)
      .option("-n", words->most, "the number of deployments to show (default: 20)")
      .json(words->json);
  grammar
      .verb("deployment", "one deployment: its steps, and why it failed",
            [words](Context& context) { return deployment(context, words->app, words->number, words->json); })
      .app(words->app)
      .needs("N", words->number, "its number")
      .json(words->json);
  grammar
      .verb("redeploy", "build and deploy the branch's commit again",
            [words](Context& context) {
              return run_change(context, redeploy_change(context, AppName::parse(words->app), words->no_cache));
            })
      .app(words->app)
      .flag("--no-cache", words->no_cache, "install all packages again, and empty the app's build cache");
  grammar
      .verb("cancel", "stop a deployment that is in progress",
            [words](Context& context) { return cancel(context, words->app); })
      .app(words->app);
}

}  // namespace pushrod
