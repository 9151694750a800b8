// The fallback of a watched release.
#include "deploy/fallback.hh"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.hh"
#include "base/text.hh"
#include "deploy/control.hh"
#include "deploy/traffic.hh"
#include "git/repository.hh"
#include "os/file_lock.hh"

namespace pushrod {

namespace {

std::vector<Watch> watches_of(const Platform& platform, std::int64_t group) {
  auto watches = platform.store.watches();
  std::erase_if(watches, [&](const Watch& watch) { return watch.group != group; });
  return watches;
}

std::string described(const Watch& watch) {
  return fmt::format("release {} to {}: {}", watch.release, watch.previous, watch.failure);
}

bool is_in_progress(const Platform& platform, const std::vector<App>& apps) {
  const auto unfinished = platform.store.unfinished_deployments();
  return std::any_of(unfinished.begin(), unfinished.end(), [&](const Deployment& deployment) {
    const auto is_its = [&](const App& app) { return app.id == deployment.app_id; };
    return rules_of(deployment.kind).watch == WatchRule::FallsBack && std::any_of(apps.begin(), apps.end(), is_its) &&
           lock_holder(platform.layout.group_lock(deployment.group));
  });
}

}  // namespace

std::optional<Change> fallback_change(const Platform& platform, std::int64_t group) {
  const auto watches = watches_of(platform, group);
  if (watches.empty() || !watches.front().is_failing()) return std::nullopt;
  std::vector<App> apps;
  std::map<AppId, ReleaseNumber> releases;
  std::optional<CommitId> commit;
  for (const auto& watch : watches) {
    auto app = platform.store.app(watch.app_id);
    const auto release = platform.store.release(watch.app_id, watch.previous);
    if (!app || !release) {
      throw UserError(fmt::format("release {} of {} is no longer kept", watch.previous, watch.app.str()));
    }
    commit = release->commit;
    releases.emplace(app->id, watch.previous);
    apps.push_back(*std::move(app));
  }
  if (is_in_progress(platform, apps)) return std::nullopt;
  const auto repo = apps.front().repo;
  const auto branch = apps.front().branch;
  const auto head = Repository(platform.layout.repo(repo)).head_of(branch);
  Change change{DeploymentKind::Fallback,  repo, branch, std::move(apps), commit, head, "pushrod",
                described(watches.front())};
  change.releases = std::move(releases);
  change.watched = group;
  return change;
}

void check_only_fallback(const Platform& platform, const Change& change) {
  if (!change.watched || !is_in_progress(platform, change.apps)) return;
  throw UserError(fmt::format("{} is already falling back to its previous release", change.apps.front().name.str()));
}

// A next deployment may have ended this watch and begun another: this ends no other group's.
void end_failed_fallback(const Platform& platform, std::int64_t group) {
  platform.store.end_watch(group);
  publish_routes(platform);
  wake_daemon(platform);
}

}  // namespace pushrod
