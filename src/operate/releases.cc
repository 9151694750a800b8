#include "operate/releases.hh"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "archive/data_copy.hh"
#include "base/error.hh"
#include "base/text.hh"
#include "deploy/aside.hh"
#include "git/repository.hh"
#include "model/source.hh"
#include "os/files.hh"

namespace pushrod {

namespace {

Release require_release(Session& session, const App& app, ReleaseNumber number) {
  if (auto release = session.store().release(app.id, number)) return *std::move(release);
  throw UserError(fmt::format("release {} of {} is not kept, or never existed", number, app.name.str()),
                  fmt::format("`releases {}` lists the releases that are kept", app.name.str()));
}

ReleaseView view_of(Session& session, const App& app, Release release) {
  const auto number = release.number;
  return {std::move(release), app.live == number, session.store().deployment(app.id, number),
          is_directory(snapshot_directory(session.layout(), app.id, number))};
}

std::optional<Release> release_before(Session& session, const App& app, ReleaseNumber number) {
  for (auto& release : session.store().releases(app.id)) {
    if (release.number < number) return std::move(release);
  }
  return std::nullopt;
}

ReleaseNumber previous_release(Session& session, const App& app) {
  const auto live = require_release(session, app, app.live.value());
  for (const auto& candidate : session.store().releases(app.id)) {
    if (candidate.number < live.number && !differences(candidate, live).empty()) return candidate.number;
  }
  throw UserError(fmt::format("no release of {} that is kept differs from the live one", app.name.str()),
                  fmt::format("`releases {}` lists the releases that are kept", app.name.str()));
}

// The newest release of an app that runs this commit.
ReleaseNumber release_at(Session& session, const App& app, const CommitId& commit) {
  for (const auto& candidate : session.store().releases(app.id)) {
    if (candidate.commit == commit) return candidate.number;
  }
  throw UserError(fmt::format("app {} runs from the same branch and has no release of commit {}", app.name.str(),
                              abbreviated(commit)),
                  "push the commit instead: git push --force REMOTE COMMIT:BRANCH");
}

// The other apps of the branch, which go back with the app when the branch moves.
void add_others_of_branch(Session& session, const App& app, Change& change) {
  for (const auto& other : session.store().apps_of(app.repo, app.branch)) {
    if (other.id == app.id || !other.live) continue;
    // The message does not name the app, which the caller may not see.
    if (!session.may(other.name, Right::Deploy)) {
      throw UserError(
          fmt::format("a rollback of {} also takes back the other apps of branch {}, and your key may not deploy all "
                      "of them",
                      app.name.str(), quoted(app.branch.str())),
          "ask an administrator of this machine");
    }
    change.apps.push_back(other);
    change.releases.emplace(other.id, release_at(session, other, *change.commit));
  }
}

}  // namespace

Json to_json(const ReleaseView& view) {
  const auto& [release, is_live, made_by, has_snapshot] = view;
  Json value = {{"app", release.app.str()},
                {"number", release.number},
                {"live", is_live},
                {"snapshot", has_snapshot},
                {"commit", release.commit.str()},
                {"builder", release.builder},
                {"created", iso_time(release.created)},
                {"kind", made_by ? Json(to_string(made_by->kind)) : Json(nullptr)},
                {"author", made_by ? Json(made_by->author) : Json(nullptr)},
                {"detail", made_by ? Json(made_by->detail) : Json(nullptr)},
                {"writable", release.writable},
                {"mounts", Json::object()},
                {"processes", Json::object()},
                {"settings", Json::array()}};
  for (const auto& mount : release.host_mounts) value["mounts"][mount.path] = mount.name.str();
  for (const auto& process : release.processes) value["processes"][process.type.str()] = process.count;
  for (const auto& [name, setting] : release.settings) value["settings"].push_back(name.str());
  return value;
}

Json to_json(const ReleaseInfo& info) {
  auto value = to_json(info.view);
  value["before"] = info.before ? Json(*info.before) : Json(nullptr);
  value["changes"] = Json::array();
  for (const auto& [what, from, to] : info.changes) {
    value["changes"].push_back({{"what", what}, {"from", from}, {"to", to}});
  }
  return value;
}

std::vector<ReleaseView> list_releases(Session& session, const AppName& name) {
  const auto app = session.require_app(name, Right::See);
  std::vector<ReleaseView> views;
  for (auto& release : session.store().releases(app.id)) views.push_back(view_of(session, app, std::move(release)));
  return views;
}

ReleaseInfo release_info(Session& session, const AppName& name, ReleaseNumber number) {
  const auto app = session.require_app(name, Right::See);
  ReleaseInfo info{view_of(session, app, require_release(session, app, number)), {}, {}};
  if (const auto older = release_before(session, app, number)) {
    info.before = older->number;
    info.changes = differences(*older, info.view.release);
  }
  return info;
}

std::string subject_of(Session& session, const Release& release) {
  const Repository repository(session.layout().repo(release.source.repo), session.settings().push_memory);
  return repository.subject(release.commit);
}

Change rollback_change(Session& session, const AppName& name, std::optional<ReleaseNumber> wanted) {
  const auto app = session.require_app(name, Right::Deploy);
  require_deployed(app, "roll back");
  const auto number = wanted ? *wanted : previous_release(session, app);
  if (number == *app.live) {
    throw UserError(fmt::format("no change: release {} of {} is live", number, name.str()),
                    fmt::format("`releases {}` lists the others", name.str()));
  }
  const auto target = require_release(session, app, number);
  check_same_branch(app, number, target.source);
  auto change = change_of(session, app, DeploymentKind::Rollback);
  change.commit = target.commit;
  change.releases.emplace(app.id, number);
  change.detail = fmt::format("to release {}", number);
  if (target.commit != change.previous) add_others_of_branch(session, app, change);
  return change;
}

void add_snapshot(Session& session, Change& change, const Transfer& transfer) {
  const auto& app = change.apps.front();
  const auto number = change.releases.at(app.id);
  if (change.apps.size() > 1) {
    throw UserError(fmt::format("other apps run from branch {} and go back with {}, and their data would not",
                                quoted(app.branch.str()), app.name.str()),
                    "roll back without --with-data");
  }
  const auto snapshot = snapshot_directory(session.layout(), app.id, number);
  if (!is_directory(snapshot)) {
    throw UserError(fmt::format("release {} has no snapshot of its data", number),
                    fmt::format("`releases {}` shows which releases have one; a push makes one of the release that it "
                                "replaces if its files say [release] snapshot = true",
                                app.name.str()));
  }
  change.data = transfer.files() / "data";
  make_directory(*change.data);
  if (is_directory(snapshot_data(snapshot))) copy_data(session.layout(), snapshot_data(snapshot), *change.data);
  change.dumps = dumps_in(snapshot_databases(snapshot));
  change.keeps_snapshot = true;
  change.detail += " with its data";
}

}  // namespace pushrod
