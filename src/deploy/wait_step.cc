// The first step: waiting until no other deployment changes these apps, and settling what a killed one left.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <thread>

#include "base/error.hh"
#include "base/text.hh"
#include "deploy/control.hh"
#include "deploy/narration.hh"
#include "deploy/settle.hh"
#include "deploy/steps.hh"

namespace pushrod {

namespace {

// This deployment's row has superseded older pushes that waited for these apps. Their processes are woken to see it.
void wake_superseded(const Run& run) {
  for (const auto& part : run.parts) {
    for (const auto& other : run.platform.store.deployments(part.app.id, 10)) {
      if (other.state == DeploymentState::Superseded) request_cancel(run.platform, other.group);
    }
  }
}

void check_superseded(const Run& run) {
  const auto group = run.platform.store.group(run.group);
  // An app takes its deployments with it.
  if (group.empty()) throw UserError(fmt::format("{} was destroyed in the meantime", names_of(run)));
  if (group.front().state == DeploymentState::Superseded) throw UserError(group.front().error, group.front().hint);
}

FileLock wait_for(Run& run, const AppName& app) {
  const auto path = run.platform.layout.app_lock(app);
  if (auto lock = FileLock::try_acquire(path)) return std::move(*lock);
  const auto holder = lock_holder(path);
  // Tidying up does not announce itself: it is short.
  if (holder) run.journal.begin("Waiting for " + holder->what, "waiting for " + holder->what);
  auto lock = FileLock::acquire(path, [&] { return is_cancelled(run.cancel_fd); });
  if (holder && lock) run.journal.end();
  check_superseded(run);
  if (!lock) throw Cancelled();
  return std::move(*lock);
}

std::vector<Deployment> interrupted(const Run& run) {
  std::set<AppId> apps;
  for (const auto& part : run.parts) apps.insert(part.app.id);
  auto found = interrupted_deployments(run.platform, apps);
  std::erase_if(found, [&](const Deployment& other) { return other.group == run.group; });
  return found;
}

// Our apps, and those that went with them in an interrupted deployment: it is settled as a whole.
std::map<AppName, App> apps_to_lock(const Run& run) {
  std::map<AppName, App> apps;
  for (const auto& app : run.change.apps) {
    const auto current = run.platform.store.app(app.id);  // it may have got another name while we waited
    apps.emplace(current ? current->name : app.name, current ? *current : app);
  }
  if (run.change.new_name) apps.emplace(*run.change.new_name, run.change.apps.front());
  // The branch that an app moves to must not move meanwhile.
  if (run.change.source) {
    for (const auto& app : run.platform.store.apps_of(run.change.repo, run.change.branch)) apps.emplace(app.name, app);
  }
  for (const auto& other : interrupted(run)) {
    for (const auto& sibling : run.platform.store.group(other.group)) {
      if (const auto app = run.platform.store.app(sibling.app_id)) apps.emplace(app->name, *app);
    }
  }
  return apps;
}

// In the order of names, always, so that no two of us wait for each other.
std::map<AppName, FileLock> lock_apps(Run& run) {
  while (true) {
    const auto apps = apps_to_lock(run);
    std::map<AppName, FileLock> locks;
    for (const auto& [name, app] : apps) {
      const auto lock = locks.emplace(name, wait_for(run, name)).first;
      lock->second.announce(fmt::format("the deployment of {} by {}", names_of(run), run.change.author));
    }
    const auto needed = apps_to_lock(run);
    if (std::all_of(needed.begin(), needed.end(), [&](const auto& app) { return locks.contains(app.first); })) {
      return locks;
    }
  }
}

// An app may have moved from the branch, or to it, while we waited.
void check_sources(const Run& run) {
  const auto& change = run.change;
  if (change.source) return;
  std::set<AppId> parts;
  for (const auto& part : run.parts) {
    parts.insert(part.app.id);
    if (part.app.repo == change.repo && part.app.branch == change.branch) continue;
    throw UserError(fmt::format("{} now runs from branch {} of repo {}", part.app.name.str(),
                                quoted(part.app.branch.str()), part.app.repo.str()),
                    "try again");
  }
  // A rollback to a release of the commit that the branch names does not concern the other apps of the branch.
  if (!rules_of(change.kind).whole_branch || change.commit == change.previous) return;
  for (const auto& app : run.platform.store.apps_of(change.repo, change.branch)) {
    if (!app.live || parts.contains(app.id)) continue;
    throw UserError(fmt::format("{} was moved to this branch in the meantime", app.name.str()), "try again");
  }
}

// The ref may have moved while we waited. What the pusher based the new commit on must still be in it.
void check_base(const Run& run) {
  const auto& change = run.change;
  if (!concerns_commit(change.kind)) return;
  check_sources(run);
  const auto head = run.repository.head_of(change.branch);
  if (head == change.previous) return;
  const bool contained = head && change.commit && run.repository.is_ancestor(*head, *change.commit);
  if (rules_of(change.kind).ref == RefChange::Advance && contained) return;
  throw UserError(fmt::format("branch {} moved to {} in the meantime", quoted(change.branch.str()),
                              head ? abbreviated(*head) : "nothing"),
                  "fetch it, and try again");
}

bool falls_back(const Run& run) { return rules_of(run.change.kind).watch == WatchRule::FallsBack; }

// While the live release is falling back, requests go to the instances on standby: ending the watch now would send them
// back to instances that keep ending. The fallback takes a moment; a daemon that does not run never begins one.
void await_fallback(Run& run) {
  constexpr Milliseconds kLongest{10'000};
  constexpr Milliseconds kPause{20};  // no event tells when another process has committed
  if (falls_back(run)) return;
  const Deadline deadline(kLongest);
  const auto is_failing = [&](const Part& part) {
    const auto watch = run.platform.store.watch(part.app.id);
    return watch && watch->is_failing();
  };
  bool told = false;
  while (std::any_of(run.parts.begin(), run.parts.end(), is_failing) && !deadline.passed()) {
    if (!told) run.journal.headline(fmt::format("Waiting for {} to fall back to its previous release", names_of(run)));
    told = true;
    check_cancelled(run.cancel_fd);
    std::this_thread::sleep_for(kPause);
  }
}

// A deployment ends the watch of what it replaces, so that no third release is up beside its own (I4). A fallback is
// what its watch is for; if another deployment has ended that, the fallback is not needed any more.
void end_watches(const Run& run) {
  bool any = false;
  for (const auto& part : run.parts) {
    const auto watch = run.platform.store.watch(part.app.id);
    if (falls_back(run)) {
      if (watch && watch->is_failing() && watch->group == run.change.watched) continue;
      throw UserError(fmt::format("{} was deployed again in the meantime", part.app.name.str()));
    }
    if (!watch) continue;
    run.platform.store.end_watch(watch->group);
    any = true;
  }
  if (any) wake_daemon(run.platform);
}

}  // namespace

void take_turn(Run& run) {
  wake_superseded(run);
  await_fallback(run);
  auto locks = lock_apps(run);
  check_superseded(run);
  for (const auto& other : interrupted(run)) settle_killed(run.platform, other.group);
  for (const auto& app : run.change.apps) {
    const auto current = run.platform.store.app(app.id);
    run.locks.push_back(std::move(locks.at(current ? current->name : app.name)));
  }
  if (run.change.new_name) run.locks.push_back(std::move(locks.at(*run.change.new_name)));
  if (run.change.source) {
    for (const auto& app : run.platform.store.apps_of(run.change.repo, run.change.branch)) {
      const auto is_mine = [&](const App& mine) { return mine.id == app.id; };
      if (std::any_of(run.change.apps.begin(), run.change.apps.end(), is_mine)) continue;
      run.locks.push_back(std::move(locks.at(app.name)));
    }
  }
  run.has_turn = true;
  for (auto& part : run.parts) {
    const auto app = run.platform.store.app(part.app.id);
    if (!app) throw UserError(fmt::format("app {} was destroyed in the meantime", part.app.name.str()));
    part.app = *app;
    if (run.change.source) part.app.set_source(*run.change.source);
  }
  check_base(run);
  end_watches(run);
}

}  // namespace pushrod
