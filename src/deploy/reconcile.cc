// The reconciler.
#include "deploy/reconcile.hh"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <set>

#include "base/error.hh"
#include "base/text.hh"
#include "deploy/aside.hh"
#include "deploy/attempt.hh"
#include "deploy/await_end.hh"
#include "deploy/control.hh"
#include "deploy/jobs.hh"
#include "deploy/plans.hh"
#include "deploy/settle.hh"
#include "deploy/traffic.hh"
#include "os/file_lock.hh"
#include "os/files.hh"
#include "services/services.hh"

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

Milliseconds Reconciler::pass(bool called) {
  busy_ = false;
  deploying_.clear();
  if (called) failures_.clear();
  for (auto& [doing, failure] : failures_) failure.matters = false;
  tend("settling interrupted deployments", [this] { settle_interrupted(); });
  tend("settling interrupted jobs", [this] { settle_jobs(platform_); });
  tend("looking after services", [this] { busy_ = reconcile_services(platform_.services()) || busy_; });
  tend("draining", [this] { drain_and_stop(); });
  tend("removing unwanted instances", [this] { remove_strangers(); });
  tend("starting what is missing", [this] { start_missing(); });
  tend("correcting the routes", [this] { correct_routes(); });
  std::erase_if(failures_, [](const auto& failure) { return !failure.second.matters; });
  auto pause = busy_ ? kBusyPause : kIdlePause;
  for (const auto& [doing, failure] : failures_) pause = std::min(pause, failure.again.left());
  return pause;
}

// What has failed is left alone until its pause is over, and the rest goes on.
void Reconciler::tend(const std::string& doing, const std::function<void()>& action) {
  auto pause = kBusyPause;
  if (const auto known = failures_.find(doing); known != failures_.end()) {
    known->second.matters = true;
    if (!known->second.again.passed()) return;
    pause = std::min(known->second.pause * 2, kIdlePause);
  }
  const bool was_busy = busy_;
  if (attempt(doing, action)) {
    failures_.erase(doing);
    return;
  }
  busy_ = was_busy;
  failures_.insert_or_assign(doing, Failure{pause, Deadline(pause)});
}

void Reconciler::settle_interrupted() {
  std::set<std::int64_t> groups, interrupted;
  {
    const auto begin = FileLock::acquire(platform_.layout.begin_lock());
    for (const auto& deployment : platform_.store.unfinished_deployments()) groups.insert(deployment.group);
    for (const auto group : groups) {
      // Its process holds this lock for as long as it lives.
      const auto lock = platform_.layout.group_lock(group);
      if (FileLock::try_acquire(lock)) {
        interrupted.insert(group);
      } else if (auto process = holder_process(lock)) {
        deploying_.push_back(std::move(process));
      } else {
        busy_ = true;  // it ends at this moment, or has not said yet who it is
      }
    }
  }
  for (const auto group : interrupted) {
    const auto deployments = platform_.store.group(group);
    if (deployments.empty()) continue;  // its apps have been destroyed
    tend(fmt::format("settling deployment {} of {}", deployments.front().number, deployments.front().app.str()),
         [&] { settle_group(deployments); });
  }
}

void Reconciler::settle_group(const std::vector<Deployment>& group) {
  busy_ = true;
  const auto locks = try_lock(platform_, group);
  if (!locks) return;
  const auto id = group.front().group;
  settle_killed(platform_, id);
  wake_daemon(platform_);  // the tidier: what was undone lies in the trash
  fmt::print(stderr, "settled deployment {} of {}\n", group.front().number, group.front().app.str());
}

std::vector<Instance> Reconciler::leaving_instances() {
  std::vector<Instance> found;
  std::map<InstanceName, Seen> seen;
  for (auto& instance : platform_.store.instances()) {
    if (instance.state != InstanceState::Draining && instance.state != InstanceState::Stopping) continue;
    const auto known = leaving_.find(instance.name);
    const bool is_as_before = known != leaving_.end() && known->second.state == instance.state;
    seen.emplace(instance.name, is_as_before ? known->second : Seen{instance.state, {}});
    found.push_back(std::move(instance));
  }
  leaving_ = std::move(seen);
  return found;
}

void Reconciler::drain_and_stop() {
  const auto leaving = leaving_instances();
  if (leaving.empty()) return;
  // Between a commit and its switch the router still sends requests to the old instances. Asked after the instances
  // were read, so that requests no longer go to an instance that drains without an entry here.
  std::set<AppId> switching;
  for (const auto& deployment : platform_.store.unfinished_deployments()) {
    if (deployment.state == DeploymentState::Committed) switching.insert(deployment.app_id);
  }
  const auto requests = platform_.ingress.requests_in_flight();
  std::vector<InstanceName> ended;
  for (const auto& instance : leaving) {
    tend("ending " + instance.name.str(), [&] {
      busy_ = true;
      if (instance.state == InstanceState::Stopping) {
        end(instance);
        ended.push_back(instance.name);
      } else if (!switching.contains(instance.app_id)) {
        const auto count = requests.find(instance.name);
        drain(instance, count == requests.end() ? 0 : count->second);
      }
    });
  }
  const auto still_up = remove_ended(platform_, ended);
  for (const auto& name : ended) {
    if (std::find(still_up.begin(), still_up.end(), name) == still_up.end()) platform_.store.remove_instance(name);
  }
}

void Reconciler::drain(const Instance& instance, unsigned requests) {
  if (requests > 0 && leaving_.at(instance.name).time.elapsed() < process_of(instance).drain_timeout) return;
  // In this order: if this process is killed in between, the instance is still draining and is told to stop again.
  platform_.engine.stop({instance.name});
  platform_.store.set_instance_state(instance.name, InstanceState::Stopping);
}

// A second stop request would restart the time until SIGKILL. If the first was lost, only SIGKILL ends the instance.
void Reconciler::end(const Instance& instance) {
  if (leaving_.at(instance.name).time.elapsed() < process_of(instance).stop_timeout + kLostWord) return;
  platform_.engine.kill({instance.name});
}

// Of an app that is destroyed nothing is waited for.
Process Reconciler::process_of(const Instance& instance) {
  if (const auto app = platform_.store.app(instance.app_id)) {
    return processes_of(platform_, *app, {instance}).front();
  }
  return {.type = instance.name.type,
          .command = {},
          .stop_timeout = Milliseconds{0},
          .drain_timeout = Milliseconds{0},
          .health = {},
          .limits = {},
          .sleep_after = {}};
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
  remove_ended(platform_, strangers);
}

void Reconciler::start_missing() {
  std::set<InstanceName> there;
  for (const auto& status : platform_.engine.inspect()) there.insert(status.name);
  std::set<AppName> missing;
  for (const auto& instance : platform_.store.instances()) {
    if (instance.state == InstanceState::Serving && !there.contains(instance.name)) {
      missing.insert(instance.name.app);
    }
  }
  for (const auto& name : missing) {
    tend("starting " + name.str(), [&] {
      busy_ = true;
      const auto lock = FileLock::try_acquire(platform_.layout.app_lock(name));
      const auto app = platform_.store.app(name);
      if (!lock || !app || is_aside(platform_.layout, app->id)) return;
      // Read again under the lock: a deployment may have taken them out of use.
      auto still = platform_.store.instances(app->id);
      std::erase_if(still, [&](const Instance& instance) {
        return instance.state != InstanceState::Serving || there.contains(instance.name);
      });
      platform_.engine.start(plan_instances(platform_, *app, still));
    });
  }
}

void Reconciler::correct_routes() {
  if (platform_.ingress.is_routed(traffic_targets(platform_))) return;
  busy_ = true;
  publish_routes(platform_);
}

}  // namespace pushrod
