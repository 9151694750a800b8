// deployments, deployment; redeploy, cancel.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/error.hh"
#include "base/text.hh"
#include "cli/audited.hh"
#include "cli/change.hh"
#include "cli/grammar.hh"
#include "cli/output.hh"
#include "cli/verbs.hh"
#include "deploy/control.hh"
#include "deploy/deploy.hh"

namespace pushrod {

namespace {

std::optional<Milliseconds> duration_of(const Deployment& deployment) {
  if (!deployment.ended) return std::nullopt;
  return std::chrono::duration_cast<Milliseconds>(*deployment.ended - deployment.started);
}

Json json_of(const Deployment& deployment) {
  Json value = {{"app", deployment.app.str()},
                {"number", deployment.number},
                {"kind", to_string(deployment.kind)},
                {"state", to_string(deployment.state)},
                {"commit", deployment.commit ? Json(deployment.commit->str()) : Json(nullptr)},
                {"previous_commit", deployment.previous ? Json(deployment.previous->str()) : Json(nullptr)},
                {"detail", deployment.detail},
                {"author", deployment.author},
                {"started", iso_time(deployment.started)},
                {"ended", deployment.ended ? Json(iso_time(*deployment.ended)) : Json(nullptr)},
                {"error", deployment.error},
                {"hint", deployment.hint},
                {"steps", Json::array()}};
  for (const auto& step : deployment.steps) {
    value["steps"].push_back({{"step", to_string(step.step)},
                              {"started", iso_time(step.started)},
                              {"ended", step.ended ? Json(iso_time(*step.ended)) : Json(nullptr)}});
  }
  return value;
}

std::string shown(const std::optional<CommitId>& commit) { return commit ? abbreviated(*commit) : "-"; }

int deployments(Context& context, const std::string& name, unsigned most, bool json) {
  const auto app = context.require_app(name, Right::See);
  auto list = Json::array();
  Table table({"NUMBER", "STATE", "KIND", "COMMIT", "BY", "STARTED (UTC)", "TOOK", "WHAT"});
  for (const auto& deployment : context.store().deployments(app.id, most)) {
    list.push_back(json_of(deployment));
    const auto took = duration_of(deployment);
    table.add({std::to_string(deployment.number), shown_state(app, deployment), std::string(to_string(deployment.kind)),
               shown(deployment.commit), deployment.author, format_time(deployment.started),
               took ? format_duration(*took) : "-", deployment.detail});
  }
  if (json) {
    print_json(list);
  } else {
    print(table.is_empty() ? fmt::format("App {} has never been deployed.\n", app.name.str()) : table.str());
  }
  return kExitOk;
}

int deployment(Context& context, const std::string& name, ReleaseNumber number, bool json) {
  const auto app = context.require_app(name, Right::See);
  const auto found = context.store().deployment(app.id, number);
  if (!found) {
    throw UserError(fmt::format("app {} has no deployment {}", app.name.str(), number),
                    fmt::format("`deployments {}` lists them", app.name.str()));
  }
  if (json) {
    print_json(json_of(*found));
    return kExitOk;
  }
  std::string text =
      fmt::format("Deployment {} of {}: {} ({} by {})\n  commit     {}  (before: {})\n  started    {}\n", found->number,
                  app.name.str(), shown_state(app, *found), to_string(found->kind), escaped(found->author),
                  shown(found->commit), shown(found->previous), format_time(found->started));
  if (!found->detail.empty()) text += fmt::format("  what       {}\n", escaped(found->detail));
  for (const auto& step : found->steps) {
    const auto time =
        step.ended ? format_duration(std::chrono::duration_cast<Milliseconds>(*step.ended - step.started)) : "…";
    text += fmt::format("  {:<10} {}\n", to_string(step.step), time);
  }
  if (const auto took = duration_of(*found)) text += fmt::format("  took       {}\n", format_duration(*took));
  if (!found->error.empty()) text += fmt::format("  why        {}\n", escaped(found->error));
  if (!found->hint.empty()) text += fmt::format("  what next  {}\n", escaped(found->hint));
  text += fmt::format("  its log    logs {} --deployment {}\n", app.name.str(), found->number);
  print(text);
  return kExitOk;
}

int redeploy(Context& context, const std::string& name) {
  const auto app = context.require_app(name, Right::Deploy);
  const auto change = change_of(context, app, DeploymentKind::Redeploy);
  if (!change.commit) {
    throw UserError(fmt::format("branch {} of repo {} has no commit yet", quoted(app.branch.str()), app.repo.str()),
                    "push to it");
  }
  return run_change(context, change);
}

int cancel(Context& context, const std::string& name) {
  const auto app = context.require_app(name, Right::Deploy);
  bool any = false;
  for (const auto& deployment : context.store().unfinished_deployments()) {
    if (deployment.app_id != app.id) continue;
    if (deployment.state == DeploymentState::Committed) {
      throw UserError(fmt::format("deployment {} of {} is committed already", deployment.number, app.name.str()));
    }
    const auto record =
        begin_audit(context, {{app.name.str(), "cancel", fmt::format("deployment {}", deployment.number)}});
    const bool told = request_cancel(context.platform(), deployment.group);
    end_audit(context, record, told ? "done" : "failed: it had ended");
    if (!told) continue;
    print(fmt::format("Cancelling deployment {} of {}.\n", deployment.number, app.name.str()));
    any = true;
  }
  if (!any) throw UserError(fmt::format("no deployment of {} is in progress", app.name.str()));
  return kExitOk;
}

}  // namespace

void add_deployment_verbs(Grammar& grammar) {
  struct Words {
    std::string app;
    unsigned most = 20;
    ReleaseNumber number = 0;
    bool json = false;
  };
  const auto words = std::make_shared<Words>();
  grammar
      .verb("deployments", "the deployments of an app",
            [words](Context& context) { return deployments(context, words->app, words->most, words->json); })
      .app(words->app)
      .option("-n", words->most, "how many at the most (default: 20)")
      .json(words->json);
  grammar
      .verb("deployment", "one deployment: its steps, and why it failed",
            [words](Context& context) { return deployment(context, words->app, words->number, words->json); })
      .app(words->app)
      .needs("N", words->number, "its number")
      .json(words->json);
  grammar
      .verb("redeploy", "build and deploy the branch's commit again",
            [words](Context& context) { return redeploy(context, words->app); })
      .app(words->app);
  grammar
      .verb("cancel", "stop a deployment that is in progress",
            [words](Context& context) { return cancel(context, words->app); })
      .app(words->app);
}

}  // namespace pushrod
