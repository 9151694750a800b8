// Sleeping and waking.
// Under the app's lock, so that a deployment finds the app either asleep or awake.
#include "deploy/sleep.hh"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <thread>

#include "base/error.hh"
#include "base/text.hh"
#include "deploy/attempt.hh"
#include "deploy/await_end.hh"
#include "deploy/plans.hh"
#include "deploy/traffic.hh"
#include "os/file_lock.hh"

namespace pushrod {

namespace {

constexpr Milliseconds kShortestPause{250};
constexpr Milliseconds kLongestPause{5'000};
constexpr Milliseconds kStopMargin{5'000};
constexpr Milliseconds kCountPause{10};

std::vector<Instance> routed_instances(const Platform& platform, const App& app, InstanceState state) {
  auto instances = platform.store.instances(app.id);
  std::erase_if(instances, [&](const Instance& instance) { return !instance.port || instance.state != state; });
  return instances;
}

std::vector<InstanceName> names_of(const std::vector<Instance>& instances) {
  std::vector<InstanceName> names;
  names.reserve(instances.size());
  for (const auto& instance : instances) names.push_back(instance.name);
  return names;
}

std::optional<Milliseconds> sleep_after(const Platform& platform, const App& app) {
  if (!app.live || app.stopped || app.maintenance != Maintenance::Off) return std::nullopt;
  const auto release = platform.store.release(app.id, *app.live);
  if (!release) return std::nullopt;
  for (const auto& process : release->processes) {
    if (process.is_routed()) return process.sleep_after;
  }
  return std::nullopt;
}

bool is_changing(const Platform& platform, const App& app) {
  const auto unfinished = platform.store.unfinished_deployments();
  return std::any_of(unfinished.begin(), unfinished.end(),
                     [&](const Deployment& deployment) { return deployment.app_id == app.id; });
}

// Stops them and waits until nothing of them is left.
void stop_and_remove(const Platform& platform, const App& app, const std::vector<Instance>& instances) {
  const auto names = names_of(instances);
  Milliseconds longest{0};
  for (const auto& process : processes_of(platform, app, instances)) longest = std::max(longest, process.stop_timeout);
  platform.engine.stop(names);
  const auto left = await_end(platform, names, longest + kStopMargin);
  if (!left.empty())
    throw Error(fmt::format("instance {} does not stop", left.front().str()), "the daemon tries again");
  // The router has forgotten their servers; with their rows they are to be there.
  publish_routes(platform);
}

// Twice: a request that the router was just taking when it was told is counted a moment later.
bool are_quiet(const Platform& platform, const std::vector<Instance>& instances) {
  if (have_requests(platform, instances)) return false;
  std::this_thread::sleep_for(kCountPause);
  return !have_requests(platform, instances);
}

std::set<InstanceName> names_of_those_up(const Platform& platform) {
  std::set<InstanceName> up;
  for (const auto& status : platform.engine.inspect()) up.insert(status.name);
  return up;
}

bool is_any_of(const std::set<InstanceName>& up, const std::vector<Instance>& instances) {
  return std::any_of(instances.begin(), instances.end(), [&](const auto& one) { return up.contains(one.name); });
}

void serve_again(const Platform& platform, const std::vector<Instance>& instances) {
  platform.store.set_instance_states(names_of(instances), InstanceState::Serving);
  publish_routes(platform);
}

void put_to_sleep(const Platform& platform, const AppName& name) {
  const auto lock = FileLock::try_acquire(platform.layout.app_lock(name));
  if (!lock) return;
  lock->announce("putting " + name.str() + " to sleep");
  const auto app = platform.store.app(name);
  if (!app || is_changing(platform, *app) || platform.store.watch(app->id)) return;
  const auto instances = routed_instances(platform, *app, InstanceState::Serving);
  if (instances.empty()) return;
  plan_instances(platform, *app, instances);  // throws for what could not be woken: that stays awake
  platform.store.set_instance_states(names_of(instances), InstanceState::Asleep);
  publish_routes(platform);
  // What the router took before it was told is answered first.
  if (!are_quiet(platform, instances)) {
    serve_again(platform, instances);
    return;
  }
  stop_and_remove(platform, *app, instances);
  fmt::print(stderr, "{} sleeps\n", name.str());
}

}  // namespace

bool is_to_sleep(const IdleApp& app) { return !app.changing && app.open == 0 && app.idle >= app.sleep_after; }

// The router forgets at a reload, so what it once said is remembered. Who never asked counts from our first look at
// these instances: what has just been started is not idle.
Milliseconds Sleeper::idle_time(const AppName& app, const std::vector<Instance>& web, const Idleness& idleness) {
  const auto steady_now = std::chrono::steady_clock::now();
  auto& awake = awake_[app];
  if (awake.web != names_of(web)) awake = {names_of(web), steady_now};
  if (idleness.open > 0) awake.last_request = steady_now;
  if (idleness.idle_for) awake.last_request = std::max(awake.last_request, steady_now - *idleness.idle_for);
  return std::chrono::duration_cast<Milliseconds>(steady_now - awake.last_request);
}

Milliseconds Sleeper::pass() {
  attempt("settling what sleeps", [this] { settle(); });
  Milliseconds pause = kLongestPause;
  std::map<AppName, Idleness> idleness;
  bool is_known = false;
  for (const auto& app : platform_.store.apps()) {
    const auto after = sleep_after(platform_, app);
    if (!after) continue;
    const auto web = routed_instances(platform_, app, InstanceState::Serving);
    if (web.empty()) {
      awake_.erase(app.name);
      continue;
    }
    if (!is_known) idleness = platform_.ingress.idleness();
    is_known = true;
    const auto found = idleness.find(app.name);
    if (found == idleness.end()) continue;  // the router does not run, or does not know it yet
    const IdleApp idle{*after, idle_time(app.name, web, found->second), found->second.open,
                       is_changing(platform_, app)};
    if (is_to_sleep(idle)) {
      const bool worked =
          attempt("putting " + app.name.str() + " to sleep", [&] { put_to_sleep(platform_, app.name); });
      if (!worked) awake_.erase(app.name);  // not again at once
    }
    pause = std::min(pause, std::max(kShortestPause, *after - idle.idle));
  }
  return pause;
}

void Sleeper::settle() {
  const auto rows = platform_.store.instances();
  const auto sleeps = [](const Instance& instance) { return instance.state == InstanceState::Asleep; };
  if (std::none_of(rows.begin(), rows.end(), sleeps)) return;
  const auto up = names_of_those_up(platform_);
  for (const auto& app : platform_.store.apps()) {
    if (!is_any_of(up, routed_instances(platform_, app, InstanceState::Asleep))) continue;
    attempt("putting " + app.name.str() + " to sleep", [&] { settle(app, up); });
  }
}

void Sleeper::settle(const App& app, const std::set<InstanceName>& up) {
  const auto lock = FileLock::try_acquire(platform_.layout.app_lock(app.name));
  if (!lock) return;
  lock->announce("putting " + app.name.str() + " to sleep");
  // Read again under the lock: it may have been woken.
  const auto asleep = routed_instances(platform_, app, InstanceState::Asleep);
  if (!is_any_of(up, asleep)) return;
  // The process that was killed may not have told the router yet.
  publish_routes(platform_);
  if (are_quiet(platform_, asleep)) {
    stop_and_remove(platform_, app, asleep);
  } else {
    wake_locked(platform_, app, -1);
  }
}

bool sleeps(const Platform& platform, const App& app) {
  return !routed_instances(platform, app, InstanceState::Asleep).empty();
}

std::optional<HealthFailure> wake_locked(const Platform& platform, const App& app, int cancel_fd) {
  const auto asleep = routed_instances(platform, app, InstanceState::Asleep);
  // A process was killed while it put them to sleep. They may have been told to end, or they may have requests.
  if (is_any_of(names_of_those_up(platform), asleep) && are_quiet(platform, asleep)) {
    stop_and_remove(platform, app, asleep);
  }
  const auto plans = plan_instances(platform, app, asleep);
  platform.engine.start(plans);
  auto failure = platform.engine.await_healthy(plans, cancel_fd);
  serve_again(platform, asleep);
  return failure;
}

void wake(const Platform& platform, const AppName& name) {
  const auto lock = FileLock::acquire(platform.layout.app_lock(name));
  lock.announce("waking " + name.str());
  const auto app = platform.store.app(name);
  if (!app || !sleeps(platform, *app)) return;
  const Stopwatch time;
  if (const auto failure = wake_locked(platform, *app, -1)) {
    fmt::print(stderr, "{} was woken, but {} {}\n", name.str(), failure->name.str(), escaped(failure->reason));
  } else {
    fmt::print(stderr, "{} is awake after {}\n", name.str(), format_duration(time.elapsed()));
  }
}

}  // namespace pushrod
