#include "engine/local/local_ingress.hh"

#include <algorithm>

namespace pushrod {

namespace {

RoutingTable table_of(const std::vector<TrafficTarget>& targets) {
  RoutingTable table;
  for (const auto& target : targets) {
    RoutedApp app{target.app, target.hosts, {}, target.mode, target.page, target.sticky};
    for (const auto& instance : target.instances) {
      if (instance.port) app.servers.push_back({instance.name, *instance.port});
    }
    std::sort(app.servers.begin(), app.servers.end());
    table.apps.push_back(std::move(app));
  }
  std::sort(table.apps.begin(), table.apps.end(), [](const auto& a, const auto& b) { return a.app < b.app; });
  return table;
}

// Names that are of no instance are left out.
template <class Count>
std::map<InstanceName, Count> by_instance(const std::map<std::string, Count>& services) {
  std::map<InstanceName, Count> counts;
  for (const auto& [service, count] : services) {
    if (auto name = InstanceName::from(service)) counts.emplace(*name, count);
  }
  return counts;
}

}  // namespace

LocalIngress::LocalIngress(const Layout& layout, const Settings& settings) : router_(layout, settings) {}

void LocalIngress::route(const std::vector<TrafficTarget>& targets) const { router_.apply(table_of(targets)); }

bool LocalIngress::is_routed(const std::vector<TrafficTarget>& targets) const {
  // A router that does not run will read the file when it starts, and there is nothing to ask.
  return !router_.is_running() || router_.serves(table_of(targets));
}

void LocalIngress::forget(const std::vector<InstanceName>& ended) const { router_.forget(ended); }

std::map<AppName, Idleness> LocalIngress::idleness() const {
  std::map<AppName, Idleness> apps;
  for (const auto& [app, idleness] : router_.idleness()) apps.emplace(AppName::parse(app), idleness);
  return apps;
}

std::map<InstanceName, unsigned> LocalIngress::requests_in_flight() const {
  return by_instance(router_.requests_in_flight());
}

std::map<InstanceName, std::uint64_t> LocalIngress::requests_served() const {
  return by_instance(router_.requests_served());
}

void LocalIngress::prepare(const std::vector<TrafficTarget>& targets) const { router_.prepare(table_of(targets)); }

}  // namespace pushrod
