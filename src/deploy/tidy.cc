// The tidier.
#include "deploy/tidy.hh"

#include <fmt/format.h>

#include "base/text.hh"
#include "deploy/attempt.hh"
#include "deploy/data_limit.hh"
#include "deploy/import.hh"
#include "deploy/kept_build.hh"
#include "deploy/layers.hh"
#include "deploy/left_locks.hh"
#include "deploy/make_room.hh"
#include "deploy/placement.hh"
#include "deploy/retention.hh"
#include "deploy/trash.hh"
#include "git/checkout.hh"
#include "git/repository.hh"
#include "os/disk_use.hh"
#include "os/file_lock.hh"
#include "os/files.hh"

namespace pushrod {

namespace {

// A few hundred files are written anew as fast as a spare is brought up to date.
bool has_many_files(const fs::path& tree) {
  constexpr unsigned kMany = 500;
  DiskUseLimits limits;
  limits.entries = kMany + 1;
  return measure_disk_use(tree, limits).entries > kMany;
}

}  // namespace

bool Tidier::pass() {
  bool complete = true;
  for (const auto& summary : platform_.store.app_summaries()) {
    const auto& app = summary.app;
    attempt("dropping the kept build of " + app.name.str(), [&] { drop_stale_build(app); });
    if (summary.last && !is_final(summary.last->state)) continue;  // its end calls again
    const auto newest = summary.last ? summary.last->number : 0;
    const auto tidied = tidied_.find(app.id);
    if (tidied != tidied_.end() && tidied->second == newest) continue;
    attempt("tidying up " + app.name.str(), [&] {
      if (!prune(app)) {
        complete = false;
        return;
      }
      prepare_next_checkout(app);
      collect_garbage(app.repo);
      tidied_[app.id] = newest;
    });
  }
  attempt("removing unused layers", [&] { remove_unused_layers(platform_); });
  // Failed deployments leave something there as well, and no app that was to be tidied.
  const bool emptied = attempt("emptying the trash", [&] { empty_trash(platform_.layout); });
  attempt("looking at the size of /data", [&] { stop_overfull_apps(platform_); });
  attempt("settling interrupted imports", [&] { settle_imports(platform_); });
  attempt("removing left locks", [&] { remove_left_locks(platform_); });
  const bool made = attempt("making room", [&] { make_room(); });
  attempt("pruning the audit", [&] { platform_.store.prune_audit(platform_.settings.keep_audit); });
  return complete && emptied && made;
}

// A release that is kept can be rolled back to, also when a forced push has taken its commit off the branch.
void Tidier::collect_garbage(const RepoName& repo) {
  // Its last app may be destroyed meanwhile, and the repo with it.
  auto lock = std::optional(FileLock::acquire(platform_.layout.repo_lock(repo)));
  if (platform_.store.apps_of(repo).empty()) return;
  std::map<std::string, CommitId> kept;
  for (const auto& app : platform_.store.apps_of(repo)) {
    for (const auto& release : platform_.store.releases(app.id)) {
      if (release.source.repo != repo) continue;
      kept.emplace(fmt::format("{}/{}", app.name.str(), release.number), release.commit);
    }
  }
  const Repository repository(platform_.layout.repo(repo), platform_.settings.push_memory);
  repository.keep_commits(kept);
  lock.reset();  // the rest may take minutes, and makes no directory
  repository.collect_garbage();
}

void Tidier::make_room() {
  for (const auto& [app, what, bytes] : pushrod::make_room(platform_, platform_.settings.free_space)) {
    fmt::print(stderr, "the disk is nearly full: removed {} of {}, {}\n", what, app.str(), format_bytes(bytes));
  }
}

// False when the app is being deployed.
bool Tidier::prune(const App& app) {
  const auto lock = FileLock::try_acquire(platform_.layout.app_lock(app.name));
  if (!lock) return false;
  const auto fresh = platform_.store.app(app.id);
  if (fresh && fresh->name == app.name) prune_releases(platform_, *fresh);
  return true;
}

// Also of an app that has not been deployed since it was tidied last.
void Tidier::drop_stale_build(const App& app) {
  if (!has_stale_build(platform_.layout, app.name)) return;
  const auto lock = FileLock::try_acquire(platform_.layout.app_lock(app.name));
  if (!lock || !has_stale_build(platform_.layout, app.name)) return;  // the next pass looks again
  discard(platform_.layout, kept_build(platform_.layout, app.name));
}

void Tidier::prepare_next_checkout(const App& app) {
  if (free_bytes(platform_.layout.root()) < platform_.settings.free_space) return;
  const auto release = app.live ? platform_.store.release(app.id, *app.live) : std::nullopt;
  if (!release || !has_many_files(find_checkout(platform_.layout, app.name, release->checkout).tree())) return;
  prepare_spare(Repository(platform_.layout.repo(app.repo), platform_.settings.push_memory), release->commit,
                platform_.layout.spare_checkout(app.name));
}

}  // namespace pushrod
