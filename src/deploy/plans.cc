// From a release to the plans of its instances.
#include "deploy/plans.hh"

#include <fmt/format.h>

#include <functional>
#include <set>

#include "base/error.hh"
#include "deploy/environments.hh"
#include "deploy/host_mounts.hh"
#include "deploy/placement.hh"
#include "deploy/traffic.hh"

namespace pushrod {

namespace {

const Process& process_of(const Release& release, const InstanceName& instance) {
  if (const auto* process = find_process(release, instance.type)) return *process;
  throw Error(
      fmt::format("release {} of {} has no process type {}", release.number, release.app.str(), instance.type.str()));
}

// Calls back with each of them and its release, which is read once.
void for_each_release(const Platform& platform, const App& app, const std::vector<Instance>& instances,
                      const std::function<void(const Release&, const Instance&)>& use) {
  std::map<ReleaseNumber, Release> releases;
  for (const auto& instance : instances) {
    auto known = releases.find(instance.name.release);
    if (known == releases.end()) {
      auto release = platform.store.release(app.id, instance.name.release);
      if (!release)
        throw Error(fmt::format("release {} of {} is not in the database", instance.name.release, app.name.str()));
      known = releases.emplace(instance.name.release, std::move(*release)).first;
    }
    use(known->second, instance);
  }
}

// Health checks of a path send it.
PublicAddress public_address(const Platform& platform, const Release& release, const Process& process) {
  if (!process.is_routed() || !process.health.path) return {};
  return address_of(platform, release.app_id, release.app);
}

}  // namespace

InstancePlan plan_instance(const Platform& platform, const Release& release, const Instance& instance) {
  return plan_process(platform, release, instance.name, process_of(release, instance.name), instance.port,
                      instance.ports);
}

InstancePlan plan_process(const Platform& platform, const Release& release, const InstanceName& name,
                          const Process& process, std::optional<Port> port, const std::map<Port, Port>& ports) {
  return InstancePlan{name,
                      process,
                      port,
                      ports,
                      find_checkout(platform.layout, name.app, release.checkout),
                      release.source,
                      process_environment(platform, release, name, port, ports),
                      release.writable,
                      release.mounts,
                      public_address(platform, release, process),
                      services_of(platform, release),
                      host_directories_of(platform, release)};
}

std::vector<ServiceName> services_of(const Platform& platform, const Release& release) {
  std::set<ServiceId> wanted;
  for (const auto& [name, setting] : release.settings) {
    if (setting.service != 0) wanted.insert(setting.service);
  }
  std::vector<ServiceName> services;
  if (wanted.empty()) return services;
  for (const auto& attachment : platform.store.attachments_of(release.app_id)) {
    if (!wanted.contains(attachment.service)) continue;
    if (const auto service = platform.store.service(attachment.service)) services.push_back(service->name);
  }
  return services;
}

std::vector<InstancePlan> plan_instances(const Platform& platform, const App& app,
                                         const std::vector<Instance>& instances) {
  std::vector<InstancePlan> plans;
  for_each_release(platform, app, instances, [&](const Release& release, const Instance& instance) {
    plans.push_back(plan_instance(platform, release, instance));
  });
  return plans;
}

std::vector<Process> processes_of(const Platform& platform, const App& app, const std::vector<Instance>& instances) {
  std::vector<Process> processes;
  for_each_release(platform, app, instances, [&](const Release& release, const Instance& instance) {
    processes.push_back(process_of(release, instance.name));
  });
  return processes;
}

}  // namespace pushrod
