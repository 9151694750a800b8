// Decides what becomes of watched releases.
#include "deploy/watcher.hh"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/text.hh"
#include "deploy/control.hh"
#include "deploy/traffic.hh"
#include "os/memory.hh"
#include "os/open_process.hh"

namespace pushrod {

namespace {

constexpr Milliseconds kNothingToWatch{60'000};
constexpr Milliseconds kDownPause{50};       // s6 does not tell when an instance that is down comes up again
constexpr Milliseconds kMemoryPause{2'000};  // nothing tells when memory becomes short

// The instances that the watched release made; those that go on from an older one have proved themselves.
std::vector<InstanceName> made_by(const Platform& platform, const Watch& watch) {
  std::vector<InstanceName> names;
  for (const auto& instance : platform.store.instances(watch.app_id)) {
    if (instance.state == InstanceState::Serving && instance.name.release == watch.release)
      names.push_back(instance.name);
  }
  return names;
}

bool has_standby(const Platform& platform, const Watch& watch) {
  const auto instances = platform.store.instances(watch.app_id);
  return std::any_of(instances.begin(), instances.end(),
                     [](const Instance& instance) { return instance.state == InstanceState::Standby; });
}

// What is watched of one app, and for how much longer.
struct Look {
  std::vector<InstanceName> names;
  std::vector<WatchedInstance> instances;  // one per name
  std::vector<pid_t> pids;                 // 0: it is down
  Milliseconds left{0};
};

Look observe(const Platform& platform, const Watch& watch, Milliseconds watched_for) {
  Look look;
  const auto release = platform.store.release(watch.app_id, watch.release);
  if (!release) return look;
  for (const auto& status : platform.engine.inspect(made_by(platform, watch))) {
    const auto* process = find_process(*release, status.name.type);
    if (process == nullptr) continue;
    const auto left = process->health.watch.value_or(Milliseconds{0}) - watched_for;
    look.left = std::max(look.left, left);
    // A death in the last moment of the watch is seen a moment later.
    if (left < -kDownPause) continue;
    look.names.push_back(status.name);
    look.instances.push_back({status.name.type.str(), process->is_routed(), status.restarts, status.last_exit});
    look.pids.push_back(status.up ? status.pid : 0);
  }
  return look;
}

}  // namespace

Milliseconds Watcher::pass() {
  pause_ = kNothingToWatch;
  failing_.clear();
  ends_.clear();
  std::map<std::int64_t, std::vector<Watch>> groups;
  for (auto& watch : platform_.store.watches()) groups[watch.group].push_back(std::move(watch));
  std::erase_if(seen_, [&](const auto& seen) { return !groups.contains(seen.first); });
  for (const auto& [group, watches] : groups) look_at(group, watches);
  return pause_;
}

void Watcher::look_at(std::int64_t group, const std::vector<Watch>& watches) {
  if (watches.front().is_failing()) {
    failing_.push_back(group);
    return;
  }
  const auto watched_for = seen_.try_emplace(group).first->second.elapsed();
  Milliseconds left{0};
  for (const auto& watch : watches) {
    const auto look = observe(platform_, watch, watched_for);
    left = std::max(left, look.left);
    if (const auto* instance = failing_instance(look.instances)) {
      const auto& name = look.names.at(static_cast<std::size_t>(instance - look.instances.data()));
      platform_.store.fail_watch(group, fmt::format("{} {}", name.str(), describe_end(instance->last_exit)));
      publish_routes(platform_);
      failing_.push_back(group);
      return;
    }
    for (const auto pid : look.pids) {
      auto end = pid == 0 ? UniqueFd{} : open_process(pid);
      if (end) {
        ends_.push_back(std::move(end));
      } else {
        pause_ = std::min(pause_, kDownPause);
      }
    }
  }
  if (left <= Milliseconds{0}) {
    platform_.store.end_watch(group);
    wake_daemon(platform_);
    return;
  }
  pause_ = std::min(pause_, left);
  const bool any_standby =
      std::any_of(watches.begin(), watches.end(), [&](const Watch& watch) { return has_standby(platform_, watch); });
  if (!any_standby) return;
  pause_ = std::min(pause_, kMemoryPause);
  if (!is_memory_short()) return;
  fmt::print(stderr, "memory is short: the instances on standby of {} are stopped early\n", watches.front().app.str());
  platform_.store.release_standby(group);
  wake_daemon(platform_);
}

}  // namespace pushrod
