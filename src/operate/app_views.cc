#include "operate/app_views.hh"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "deploy/aside.hh"
#include "deploy/fallback.hh"
#include "deploy/traffic.hh"
#include "model/source.hh"

namespace pushrod {

namespace {

// Of a large directory the beginning is measured.
constexpr DiskUseLimits kQuickLook{2'000'000, Milliseconds{2'000}};

Json release_of(const App& app) { return app.live ? Json(*app.live) : Json(nullptr); }

// What stopped the app, as its deployment recorded it.
std::string stop_reason_of(const App& app, const std::optional<DeploymentView>& last) {
  const bool has_reason = app.stopped && last && last->deployment.kind == DeploymentKind::Stop;
  return has_reason ? last->deployment.detail : std::string();
}

}  // namespace

std::string push_url_of(const Settings& settings, const RepoName& repo) {
  const auto user = Caller{}.author().substr(std::string_view("local:").size());
  return fmt::format("ssh://{}@{}:{}/{}", user, settings.domain, settings.ssh.port, repo.str());
}

Json to_json(const AppLine& line) {
  return {{"app", line.app.name.str()},
          {"state", line.state},
          {"traffic", line.traffic},
          {"release", release_of(line.app)},
          {"instances", line.instances},
          {"running", line.running},
          {"repo", line.app.repo.str()},
          {"branch", line.app.branch.str()},
          {"url", line.url}};
}

std::vector<AppLine> list_apps(Session& session) {
  const auto platform = session.platform();
  const auto summaries = session.store().app_summaries();
  const auto conditions = conditions_of_apps(platform);
  std::vector<AppLine> lines;
  for (const auto& [app, last, instances] : summaries) {
    if (!session.may(app.name, Right::See)) continue;
    const auto found = conditions.find(app.name);  // absent for an app that was created in between
    const auto condition = found == conditions.end() ? AppCondition{} : found->second;
    const bool is_deploying = last && !is_final(last->state);
    lines.push_back({app, is_deploying ? "deploying" : condition.state, condition.traffic, instances,
                     condition.running(), url_of(platform, app.name)});
  }
  return lines;
}

Json to_json(const AppInfo& info) {
  const auto& app = info.app;
  Json value = {{"app", app.name.str()},
                {"repo", app.repo.str()},
                {"branch", app.branch.str()},
                {"path", app.path},
                {"config", manifest_of(app.source())},
                {"build_root", app.build_root ? Json(*app.build_root) : Json(nullptr)},
                {"release", release_of(app)},
                {"url", info.url},
                {"created", iso_time(app.created)},
                {"state", info.condition.state},
                {"traffic", info.condition.traffic},
                {"watched", info.watched ? Json(*info.watched) : Json(nullptr)},
                {"fallback", text_or_null(info.fallback)},
                {"push", info.push_url},
                {"data_bytes", info.data.bytes},
                {"backup", to_json(info.backup)}};
  value["snapshots"] = {{"releases", info.snapshots}, {"bytes", info.snapshot_use.bytes}};
  value["services"] = Json::array();
  for (const auto& service : info.services) value["services"].push_back(to_json(service));
  value["domains"] = Json::array();
  for (const auto& domain : info.domains) value["domains"].push_back(to_json(domain));
  if (!info.release) return value;
  value["commit"] = info.release->commit.str();
  value["builder"] = info.release->builder;
  for (const auto& process : info.release->processes) {
    value["processes"].push_back(
        {{"type", process.type.str()}, {"command", process.command}, {"count", process.count}});
  }
  return value;
}

AppInfo app_info(Session& session, const AppName& name) {
  const auto app = session.require_app(name, Right::See);
  const auto platform = session.platform();
  auto& store = session.store();
  const auto newest = list_deployments(session, name, 1);
  const auto last = newest.empty() ? std::nullopt : std::optional(newest.front());
  const auto watch = store.watch(app.id);
  auto domains = list_domains(session, name);
  const auto own = std::find_if(domains.begin(), domains.end(), [](const DomainView& view) { return view.is_own; });
  const auto warning = own == domains.end() ? std::string{} : own->warning;
  std::erase_if(domains, [](const DomainView& view) { return view.is_own; });
  return {app,
          url_of(platform, app.name),
          std::move(domains),
          warning,
          push_url_of(session.settings(), app.repo),
          condition_of(platform, app),
          app.live ? store.release(app.id, *app.live) : std::nullopt,
          last,
          watch ? std::optional(watch->previous) : std::nullopt,
          fallback_note(platform, app),
          stop_reason_of(app, last),
          backup_state(session, BackupSubject::of(name)),
          measure_disk_use(platform.layout.data(app.name), kQuickLook),
          services_of(session, name),
          snapshots_of(platform.layout, app.id),
          measure_disk_use(snapshots_directory(platform.layout, app.id), kQuickLook)};
}

Json to_json(const AppCheck& check) {
  auto instances = Json::array();
  for (const auto& one : check.condition.instances) {
    const bool waits = one.condition == Condition::Crashing;
    instances.push_back({{"instance", one.name.str()},
                         {"state", to_string(one.condition)},
                         {"retry_in_ms", waits ? Json(one.retry_in.count()) : Json(nullptr)}});
  }
  return {{"app", check.app.name.str()},      {"ok", check.condition.works()},
          {"state", check.condition.state},   {"traffic", check.condition.traffic},
          {"release", release_of(check.app)}, {"instances", std::move(instances)}};
}

AppCheck check_app(Session& session, const AppName& name) {
  const auto app = session.require_app(name, Right::See);
  const auto platform = session.platform();
  return {app, condition_of(platform, app), fallback_note(platform, app)};
}

Json to_json(const RepoLine& line) {
  Json value = {{"repo", line.repo.str()}, {"url", line.push_url}, {"branches", Json::array()}};
  for (const auto& [branch, apps] : line.branches) value["branches"].push_back({{"branch", branch}, {"apps", apps}});
  return value;
}

std::vector<RepoLine> list_repos(Session& session) {
  std::map<RepoName, RepoLine> repos;
  for (const auto& app : session.visible_apps()) {
    auto& line =
        repos.try_emplace(app.repo, RepoLine{app.repo, push_url_of(session.settings(), app.repo), {}}).first->second;
    line.branches[app.branch.str()].push_back(app.name.str());
  }
  std::vector<RepoLine> lines;
  for (auto& [repo, line] : repos) lines.push_back(std::move(line));
  return lines;
}

}  // namespace pushrod
