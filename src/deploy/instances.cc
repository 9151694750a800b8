// From a release to the plans of its instances, and from the database to the routes.
#include "deploy/instances.hh"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <set>
#include <thread>

#include "base/error.hh"
#include "deploy/checkouts.hh"
#include "deploy/traffic.hh"
#include "os/file_lock.hh"

namespace pushrod {

namespace {
constexpr Port kHttpPort = 80;
constexpr Milliseconds kEndPause{5};  // s6 does not tell when a service has ended
}  // namespace

EnvironmentLayers environment_layers(const Platform& platform, const Release& release, EnvironmentLayers::For use) {
  EnvironmentLayers layers;
  layers.use = use;
  layers.builder = release.environment;
  if (!release.settings.empty()) {
    layers.settings = platform.store.vault().open_all(release.app_id, release.settings);
  }
  layers.own = {
      {"APP", release.app.str()}, {"RELEASE", std::to_string(release.number)}, {"GIT_COMMIT", release.commit.str()}};
  if (use != EnvironmentLayers::For::Build) layers.own["DATA_DIR"] = "/data";
  return layers;
}

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

}  // namespace

InstancePlan plan_instance(const Platform& platform, const Release& release, const Instance& instance) {
  return plan_process(platform, release, instance.name, process_of(release, instance.name), instance.port,
                      instance.ports);
}

InstancePlan plan_process(const Platform& platform, const Release& release, const InstanceName& name,
                          const Process& process, std::optional<Port> port, const std::map<Port, Port>& ports) {
  auto layers = environment_layers(platform, release, EnvironmentLayers::For::Process);
  layers.own["PROCESS"] = name.type.str();
  layers.own["INSTANCE"] = name.str();
  if (port) layers.own["PORT"] = std::to_string(*port);
  for (const auto& [listed, leased] : ports) layers.own[fmt::format("PORT_{}", listed)] = std::to_string(leased);
  return InstancePlan{name,
                      process,
                      port,
                      ports,
                      find_checkout(platform.layout, name.app, release.checkout),
                      release.source,
                      compose(layers),
                      release.writable};
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

bool have_requests(const Platform& platform, const std::vector<Instance>& instances) {
  const auto requests = platform.engine.requests_in_flight();
  return std::any_of(instances.begin(), instances.end(), [&](const Instance& instance) {
    const auto found = requests.find(instance.name);
    return found != requests.end() && found->second > 0;
  });
}

std::vector<InstanceName> await_end(Engine& engine, std::vector<InstanceName> names, Milliseconds at_most) {
  const Deadline deadline(at_most);
  while (!(names = engine.remove(names)).empty() && !deadline.passed()) std::this_thread::sleep_for(kEndPause);
  return names;
}

std::vector<TrafficTarget> traffic_targets(const Platform& platform) {
  std::map<AppName, std::vector<Instance>> routed;
  for (auto& instance : platform.store.instances()) {
    if (!instance.port) continue;
    if (instance.state == InstanceState::Serving || instance.state == InstanceState::Asleep) {
      routed[instance.name.app].push_back(instance);
    }
  }
  // Where a watched release keeps ending, requests go to what is on standby until the fallback is done.
  for (const auto& watch : platform.store.watches()) {
    if (!watch.is_failing()) continue;
    auto standby = platform.store.instances(watch.app_id);
    std::erase_if(standby, [](const Instance& one) { return !one.port || one.state != InstanceState::Standby; });
    if (!standby.empty()) routed[watch.app] = std::move(standby);
  }
  std::set<AppId> holding;
  for (const auto& deployment : platform.store.unfinished_deployments()) {
    if (deployment.holds) holding.insert(deployment.app_id);
  }
  const auto sticky = platform.store.sticky_releases();
  std::vector<TrafficTarget> targets;
  for (const auto& app : platform.store.apps()) {
    TrafficTarget target{app.name, {app.name.str() + "." + platform.settings.domain}, std::move(routed[app.name])};
    target.mode = traffic_mode(app, target.instances, holding.contains(app.id));
    target.sticky = std::any_of(target.instances.begin(), target.instances.end(), [&](const Instance& instance) {
      return sticky.contains({app.id, instance.name.release});
    });
    if (target.mode == TrafficMode::Serve) {
      std::erase_if(target.instances, [](const Instance& one) { return one.state == InstanceState::Asleep; });
    }
    if (target.mode == TrafficMode::Maintenance) target.page = platform.store.maintenance_page(app.id);
    targets.push_back(std::move(target));
  }
  return targets;
}

void publish_routes(const Platform& platform) {
  const auto lock = FileLock::acquire(platform.layout.traffic_lock());
  platform.engine.route(traffic_targets(platform));
}

std::string url_of(const Platform& platform, const AppName& app) {
  const auto port = platform.settings.http.port;
  return fmt::format("http://{}.{}{}", app.str(), platform.settings.domain,
                     port == kHttpPort ? std::string{} : fmt::format(":{}", port));
}

}  // namespace pushrod
