// The reconciler.
// Floor 6.
#include "deploy/reconcile.hh"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <set>

#include "base/error.hh"
#include "base/text.hh"
#include "deploy/attempt.hh"
#include "deploy/deploy.hh"
#include "deploy/instances.hh"
#include "deploy/jobs.hh"
#include "os/file_lock.hh"
#include "os/files.hh"

namespace pushrod {

namespace {

constexpr Milliseconds kBusyPause{100};  // HAProxy and s6 do not tell when a request or a process has ended
constexpr Milliseconds kIdlePause{10'000};
constexpr Milliseconds kLostWord{5'000};  // after its time to stop, until it is taken as never having been told

// All or none of the locks.
std::optional<std::vector<FileLock>> try_lock(const Platform& platform, const std::vector<Deployment>& group) {
  std::vector<FileLock> locks;
  for (const auto& deployment : group) {
    auto lock = FileLock::try_acquire(platform.layout.app_lock(deployment.app));
    if (!lock) return std::nullopt;
    lock->announce("the recovery of " + deployment.app.str());
    locks.push_back(std::move(*lock));
  }
  return locks;
}

}  // namespace

Milliseconds Reconciler::pass() {
  busy_ = false;
  attempt("settling interrupted deployments", [this] { settle_interrupted(); });
  attempt("settling interrupted jobs", [this] { settle_jobs(platform_); });
  attempt("draining", [this] { drain_and_stop(); });
  attempt("removing what nobody wants", [this] { remove_strangers(); });
  attempt("starting what is missing", [this] { start_missing(); });
  attempt("correcting the routes", [this] { correct_routes(); });
  return busy_ ? kBusyPause : kIdlePause;
}

void Reconciler::settle_interrupted() {
  std::set<std::int64_t> groups;
  {
    const auto begin = FileLock::acquire(platform_.layout.begin_lock());
    for (const auto& deployment : platform_.store.unfinished_deployments()) {
      // Its process holds this lock for as long as it lives.
      if (FileLock::try_acquire(platform_.layout.group_lock(deployment.group))) groups.insert(deployment.group);
      busy_ = true;
    }
  }
  for (const auto group : groups) {
    const auto deployments = platform_.store.group(group);
    const auto locks = try_lock(platform_, deployments);
    if (!locks) continue;
    settle(
        platform_, group,
        {DeploymentState::Failed, "interrupted: the process that deployed it was killed", "push again, or redeploy"});
    remove_file(platform_.layout.group_lock(group));
    fmt::print(stderr, "settled deployment {} of {}\n", deployments.front().number, deployments.front().app.str());
  }
}

void Reconciler::drain_and_stop() {
  std::vector<Instance> leaving;
  for (auto& instance : platform_.store.instances()) {
    if (instance.state == InstanceState::Draining || instance.state == InstanceState::Stopping)
      leaving.push_back(instance);
  }
  if (leaving.empty()) return;
  busy_ = true;
  // Between a commit and its switch the router still sends requests to the old instances. Asked after the instances
  // were read, so that whoever is draining without an entry here has been switched away from.
  std::set<AppId> switching;
  for (const auto& deployment : platform_.store.unfinished_deployments()) {
    if (deployment.state == DeploymentState::Committed) switching.insert(deployment.app_id);
  }
  const auto requests = platform_.engine.requests_in_flight();
  std::vector<InstanceName> ended;
  for (const auto& instance : leaving) {
    Milliseconds drain_limit{0}, stop_limit{0};
    const auto app = platform_.store.app(instance.name.app);
    if (app) {
      const auto plans = plan_instances(platform_, *app, {instance});
      drain_limit = plans.front().process.drain_timeout;
      stop_limit = plans.front().process.stop_timeout;
    }
    const auto waited = std::chrono::duration_cast<Milliseconds>(now() - instance.since);
    const auto is_within = [&](Milliseconds limit) { return waited >= Milliseconds{0} && waited < limit; };
    if (instance.state == InstanceState::Stopping) {
      // To say it again would begin the time until SIGKILL anew. Where the word was lost, killing is what is left.
      if (!is_within(stop_limit + kLostWord)) platform_.engine.kill({instance.name});
      ended.push_back(instance.name);
      continue;
    }
    if (app && switching.contains(app->id)) continue;
    const auto count = requests.find(instance.name);
    const bool idle = count == requests.end() || count->second == 0;
    if (!idle && is_within(drain_limit)) continue;
    // In this order: whoever dies in between leaves it draining, and it is told once more.
    platform_.engine.stop({instance.name});
    platform_.store.set_instance_state(instance.name, InstanceState::Stopping);
  }
  const auto still_up = platform_.engine.remove(ended);
  for (const auto& name : ended) {
    if (std::find(still_up.begin(), still_up.end(), name) == still_up.end()) platform_.store.remove_instance(name);
  }
}

void Reconciler::remove_strangers() {
  // What is observed first: an instance that gets its row and then starts in between is never taken for a stranger.
  const auto found = platform_.engine.inspect();
  std::set<InstanceName> wanted;
  for (const auto& instance : platform_.store.instances()) wanted.insert(instance.name);
  std::vector<InstanceName> strangers;
  for (const auto& status : found) {
    if (!wanted.contains(status.name)) strangers.push_back(status.name);
  }
  if (strangers.empty()) return;
  busy_ = true;
  platform_.engine.kill(strangers);
  platform_.engine.remove(strangers);
}

void Reconciler::start_missing() {
  std::set<InstanceName> there;
  for (const auto& status : platform_.engine.inspect()) there.insert(status.name);
  std::map<AppName, std::vector<Instance>> missing;
  for (const auto& instance : platform_.store.instances()) {
    if (instance.state == InstanceState::Serving && !there.contains(instance.name)) {
      missing[instance.name.app].push_back(instance);
    }
  }
  for (const auto& [name, instances] : missing) {
    busy_ = true;
    const auto lock = FileLock::try_acquire(platform_.layout.app_lock(name));
    if (!lock) continue;
    const auto app = platform_.store.app(name);
    if (!app) continue;
    // Read again under the lock: a deployment may have taken them out of use.
    auto still = platform_.store.instances(app->id);
    std::erase_if(still, [&](const Instance& instance) {
      return instance.state != InstanceState::Serving || there.contains(instance.name);
    });
    attempt("starting " + name.str(), [&] { platform_.engine.start(plan_instances(platform_, *app, still)); });
  }
}

void Reconciler::correct_routes() {
  if (platform_.engine.is_routed(traffic_targets(platform_))) return;
  busy_ = true;
  publish_routes(platform_);
}

}  // namespace pushrod
