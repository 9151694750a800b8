// The fallback of a watched release.
#include "deploy/fallback.hh"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.hh"
#include "base/text.hh"
#include "deploy/control.hh"
#include "deploy/traffic.hh"
#include "git/repository.hh"

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

// All apps of the group, back to the commit that they ran before.
Change change_of(const Platform& platform, const std::vector<Watch>& watches) {
  std::vector<App> apps;
  std::map<AppId, ReleaseNumber> releases;
  std::optional<CommitId> commit;
  for (const auto& watch : watches) {
    auto app = platform.store.app(watch.app_id);
    const auto release = platform.store.release(watch.app_id, watch.previous);
    if (!app || !release) {
      throw UserError(fmt::format("release {} of {} is not kept any more", watch.previous, watch.app.str()));
    }
    commit = release->commit;
    releases.emplace(app->id, watch.previous);
    apps.push_back(*std::move(app));
  }
  const auto repo = apps.front().repo;
  const auto branch = apps.front().branch;
  const auto head = Repository(platform.layout.repo(repo)).head_of(branch);
  Change change{DeploymentKind::Fallback,  repo, branch, std::move(apps), commit, head, "pushrod",
                described(watches.front())};
  change.releases = std::move(releases);
  return change;
}

}  // namespace

Outcome fall_back(const Platform& platform, std::int64_t group, Journal& journal, int cancel_fd) {
  const auto watches = watches_of(platform, group);
  if (watches.empty() || !watches.front().is_failing()) return {};
  Outcome outcome;
  try {
    outcome = deploy(platform, change_of(platform, watches), journal, cancel_fd);
  } catch (const UserError& error) {
    outcome.refusal = error.message();
  }
  if (outcome.live) return outcome;
  // A next deployment may have ended this watch and begun another: this ends no other group's.
  platform.store.end_watch(group);
  publish_routes(platform);
  wake_daemon(platform);
  return outcome;
}

}  // namespace pushrod
