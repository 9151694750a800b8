// What instances may use and what they do use: by cgroups where Pushrod has a subtree of them, by the processes
// themselves elsewhere.
// Part of the engine for this machine.
#include <algorithm>
#include <csignal>

#include "engine/local/local_engine.hh"
#include "os/process_tree.hh"
#include "sandbox/limits.hh"

namespace pushrod {

namespace {

std::string group_of(const InstanceName& name) { return "app." + name.str(); }

Limits operators_limits(const Settings& settings) {
  Limits limits;
  if (settings.instance_memory != 0) limits.memory = settings.instance_memory;
  limits.processes = settings.instance_processes;
  return limits;
}

// `up` takes a subtree that has at least the controllers of memory and processes.
std::vector<std::string> missing_controllers(const Cgroups& cgroups, const Limits& limits) {
  const auto controllers = cgroups.controllers();
  const bool has_processor = std::find(controllers.begin(), controllers.end(), "cpu") != controllers.end();
  return limits.cpu_percent && !has_processor ? std::vector<std::string>{"cpu is not limited"}
                                              : std::vector<std::string>{};
}

}  // namespace

// Those of an instance's keeper: a command from a login may have others.
HardLimits LocalEngine::hard_limits_of_tree(const std::vector<InstanceName>& started) const {
  for (const auto& instance : inspect(started)) {
    if (instance.up) return hard_limits_of(instance.pid);
  }
  return hard_limits_of(0);
}

void LocalEngine::limit(Sandbox& sandbox, const InstancePlan& plan) const {
  constexpr unsigned kSoonerThanPushrod = 200;
  sandbox.limits = tighter(plan.process.limits, operators_limits(settings_));
  sandbox.tmpfs_bytes = tmpfs_bytes(settings_.instance_tmp, sandbox.limits);
  sandbox.oom_score = kSoonerThanPushrod;
  if (const auto cgroups = Cgroups::recorded(layout_.cgroup())) {
    if (const auto group = cgroups->make(group_of(plan.name), sandbox.limits)) sandbox.cgroup = *group;
  }
}

void LocalEngine::remove_groups(const std::vector<InstanceName>& names) const {
  const auto cgroups = Cgroups::recorded(layout_.cgroup());
  if (!cgroups) return;
  for (const auto& name : names) cgroups->remove(group_of(name));
}

std::vector<std::string> LocalEngine::limits_not_kept(const std::vector<InstancePlan>& plans) const {
  const auto cgroups = Cgroups::recorded(layout_.cgroup());
  std::vector<std::string> found;
  const auto add = [&](const std::vector<std::string>& texts) {
    for (const auto& text : texts) {
      if (std::find(found.begin(), found.end(), text) == found.end()) found.push_back(text);
    }
  };
  for (const auto& plan : plans) {
    const auto& limits = plan.process.limits;
    if (limits == Limits{}) continue;
    add(cgroups ? missing_controllers(*cgroups, limits) : shortcomings(limits, rlimits_here()));
    add(beyond(limits, hard_limits_of_tree({plan.name}), cgroups.has_value()));
  }
  return found;
}

std::optional<ExitStatus> LocalEngine::last_exit_of(const InstanceName& name,
                                                    std::optional<ExitStatus> as_supervised) const {
  // The group counts for as long as it is there: only an end as the kernel brings it about may be another one.
  if (as_supervised != ExitStatus::signalled(SIGKILL)) return as_supervised;
  const auto cgroups = Cgroups::recorded(layout_.cgroup());
  return cgroups && cgroups->ran_out_of_memory(group_of(name)) ? ExitStatus::out_of_memory() : as_supervised;
}

std::vector<InstanceUsage> LocalEngine::usage() const {
  const auto cgroups = Cgroups::recorded(layout_.cgroup());
  const auto instances = inspect();
  std::vector<pid_t> keepers;
  for (const auto& instance : instances) {
    if (instance.up) keepers.push_back(instance.pid);
  }
  const auto trees = measure_trees(keepers);
  std::vector<InstanceUsage> found;
  for (const auto& instance : instances) {
    if (!instance.up) continue;
    const auto& tree = trees.at(instance.pid);
    InstanceUsage usage{instance.name, tree.processor, tree.memory};
    // A control group counts them, too.
    for (const char* path : {"/tmp", "/dev/shm"}) usage.memory += bytes_in_mount_of(tree.child, path);
    if (const auto group = cgroups ? cgroups->usage(group_of(instance.name)) : std::nullopt) {
      usage.processor = group->processor;
      usage.memory = group->memory;
    }
    found.push_back(std::move(usage));
  }
  return found;
}

}  // namespace pushrod
