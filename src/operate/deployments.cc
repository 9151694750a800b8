#include "operate/deployments.hh"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/error.hh"
#include "base/text.hh"
#include "deploy/control.hh"
#include "operate/audit.hh"

namespace pushrod {

namespace {

Json text_of(const std::optional<CommitId>& commit) { return commit ? Json(commit->str()) : Json(nullptr); }

Json text_of(const std::optional<WallTime>& time) { return time ? Json(iso_time(*time)) : Json(nullptr); }

DeploymentView view_of(const App& app, Deployment deployment) {
  const bool is_current = app.live == deployment.number;
  return {std::move(deployment), is_current};
}

}  // namespace

std::optional<Milliseconds> DeploymentView::duration() const {
  if (!deployment.ended) return std::nullopt;
  return std::chrono::duration_cast<Milliseconds>(*deployment.ended - deployment.started);
}

Json to_json(const DeploymentView& view) {
  const auto& deployment = view.deployment;
  Json value = {{"app", deployment.app.str()},
                {"number", deployment.number},
                {"kind", to_string(deployment.kind)},
                {"state", to_string(deployment.state)},
                {"commit", text_of(deployment.commit)},
                {"previous_commit", text_of(deployment.previous)},
                {"detail", deployment.detail},
                {"author", deployment.author},
                {"started", iso_time(deployment.started)},
                {"ended", text_of(deployment.ended)},
                {"error", deployment.error},
                {"hint", deployment.hint},
                {"steps", Json::array()}};
  for (const auto& step : deployment.steps) {
    value["steps"].push_back(
        {{"step", to_string(step.step)}, {"started", iso_time(step.started)}, {"ended", text_of(step.ended)}});
  }
  return value;
}

std::vector<DeploymentView> list_deployments(Session& session, const AppName& name, unsigned most) {
  const auto app = session.require_app(name, Right::See);
  std::vector<DeploymentView> views;
  for (auto& deployment : session.store().deployments(app.id, most)) {
    views.push_back(view_of(app, std::move(deployment)));
  }
  return views;
}

DeploymentView require_deployment(Session& session, const AppName& name, ReleaseNumber number) {
  const auto app = session.require_app(name, Right::See);
  if (auto found = session.store().deployment(app.id, number)) return view_of(app, *std::move(found));
  throw UserError(fmt::format("app {} has no deployment {}", name.str(), number),
                  fmt::format("`deployments {}` lists them", name.str()));
}

Change redeploy_change(Session& session, const AppName& name, bool no_cache) {
  const auto app = session.require_app(name, Right::Deploy);
  auto change = change_of(session, app, DeploymentKind::Redeploy);
  change.no_cache = no_cache;
  if (change.commit) return change;
  throw UserError(fmt::format("branch {} of repo {} has no commit yet", quoted(app.branch.str()), app.repo.str()),
                  "push a commit to the branch");
}

std::vector<ReleaseNumber> cancel_deployments(Session& session, const AppName& name) {
  const auto app = session.require_app(name, Right::Deploy);
  std::vector<ReleaseNumber> cancelled;
  for (const auto& deployment : session.store().unfinished_deployments()) {
    if (deployment.app_id != app.id) continue;
    if (deployment.state == DeploymentState::Committed) {
      throw UserError(fmt::format("deployment {} of {} cannot be cancelled: it has already been committed",
                                  deployment.number, name.str()),
                      fmt::format("to undo it: rollback {}", name.str()));
    }
    bool is_asked = false;
    audited(session, {{name.str(), "cancel", fmt::format("deployment {}", deployment.number)}}, [&] {
      is_asked = request_cancel(session.platform(), deployment.group);
      return std::string(is_asked ? kDone : "failed: it had ended");
    });
    if (is_asked) cancelled.push_back(deployment.number);
  }
  if (cancelled.empty()) {
    throw UserError(fmt::format("no deployment of {} is in progress", name.str()),
                    fmt::format("`deployments {}` lists those that have ended", name.str()));
  }
  return cancelled;
}

}  // namespace pushrod
