// What becomes of the requests for apps.
#include "deploy/traffic.hh"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "model/rights.hh"
#include "os/file_lock.hh"

namespace pushrod {

namespace {
constexpr Port kHttpPort = 80;
constexpr Port kHttpsPort = 443;

// ":8080" as clients write it after a host; empty for the usual port.
std::string shown_port(const Platform& platform, bool is_https) {
  const auto port = is_https ? platform.settings.https->port : platform.settings.http.port;
  return port == (is_https ? kHttpsPort : kHttpPort) ? std::string{} : fmt::format(":{}", port);
}

PublicAddress address_among(const Platform& platform, std::vector<Domain> domains, const AppName& name) {
  std::erase_if(domains,
                [](const Domain& domain) { return domain.route.redirect_to || domain.route.point.host.is_wildcard(); });
  const auto first = std::min_element(domains.begin(), domains.end(), [](const Domain& one, const Domain& other) {
    const auto rank = [](const Domain& domain) {
      return std::make_pair(!domain.route.point.prefix.empty(), domain.added);
    };
    return rank(one) < rank(other);
  });
  const auto host = first == domains.end() ? HostName::of_app(name, platform.settings.domain) : first->route.point.host;
  const bool is_https = has_certificate(platform, host);
  return {host.str() + shown_port(platform, is_https), is_https};
}

std::vector<std::int64_t> keys_that_see(const Platform& platform, const AppName& app) {
  std::vector<std::int64_t> ids{0};  // the operator on the machine
  for (const auto& key : platform.store.keys()) {
    if (may(key, app, Right::See)) ids.push_back(key.id);
  }
  std::sort(ids.begin(), ids.end());
  return ids;
}

}  // namespace

std::map<AppId, std::vector<Route>> routes_of_apps(const Platform& platform) {
  std::map<AppId, std::vector<Route>> routes;
  std::set<HostName> own_addresses;
  for (const auto& app : platform.store.apps()) {
    auto host = HostName::of_app(app.name, platform.settings.domain);
    own_addresses.insert(host);
    routes[app.id].push_back({{std::move(host)}});
  }
  for (const auto& domain : platform.store.domains()) {
    if (!own_addresses.contains(domain.route.point.host)) routes[domain.app_id].push_back(domain.route);
  }
  return routes;
}

// The order says what is more: a page for visitors, an app that is meant to be down, one that is to come back.
TrafficMode traffic_mode(const App& app, const std::vector<Instance>& routed, bool holds) {
  if (app.maintenance == Maintenance::Page) return TrafficMode::Maintenance;
  if (app.maintenance == Maintenance::Hold || holds) return TrafficMode::Hold;
  if (app.stopped) return TrafficMode::Stopped;
  const bool sleeps = !routed.empty() && std::all_of(routed.begin(), routed.end(), [](const Instance& instance) {
    return instance.state == InstanceState::Asleep;
  });
  return sleeps ? TrafficMode::Asleep : TrafficMode::Serve;
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
  for (const auto& service : platform.store.services()) {
    if (service.upgrade.empty()) continue;
    for (const auto& attachment : platform.store.attachments_to(service.id)) holding.insert(attachment.app_id);
  }
  const auto sticky = platform.store.sticky_releases();
  const auto h2 = platform.store.h2_releases();
  auto http = platform.store.http_rules();
  auto access = platform.store.access_rules();
  auto routes = routes_of_apps(platform);
  std::vector<TrafficTarget> targets;
  for (const auto& app : platform.store.apps()) {
    TrafficTarget target{app.name, std::move(routes[app.id]), {}};
    const auto& instances = routed[app.name];
    target.mode = traffic_mode(app, instances, holding.contains(app.id));
    target.sticky = std::any_of(instances.begin(), instances.end(), [&](const Instance& instance) {
      return sticky.contains({app.id, instance.name.release});
    });
    for (const auto& instance : instances) {
      if (target.mode == TrafficMode::Serve && instance.state == InstanceState::Asleep) continue;
      target.backends.push_back(
          {instance.name, platform.engine.endpoint(instance), h2.contains({app.id, instance.name.release})});
    }
    target.http = std::move(http[app.id]);
    target.access = std::move(access[app.id]);
    if (!target.access.login_secret.empty()) target.access.login_keys = keys_that_see(platform, app.name);
    if (target.mode == TrafficMode::Maintenance) target.page = platform.store.maintenance_page(app.id);
    targets.push_back(std::move(target));
  }
  return targets;
}

void publish_routes(const Platform& platform) {
  const auto lock = FileLock::acquire(platform.layout.traffic_lock());
  platform.ingress.route(traffic_targets(platform));
}

bool have_requests(const Platform& platform, const std::vector<Instance>& instances) {
  const auto requests = platform.ingress.requests_in_flight();
  return std::any_of(instances.begin(), instances.end(), [&](const Instance& instance) {
    const auto found = requests.find(instance.name);
    return found != requests.end() && found->second > 0;
  });
}

bool has_certificate(const Platform& platform, const HostName& host) {
  if (!platform.settings.https) return false;
  if (platform.store.certificate(host)) return true;
  const auto wildcard = wildcard_of(host);
  return wildcard && platform.store.certificate(*wildcard);
}

PublicAddress address_of(const Platform& platform, AppId id, const AppName& name) {
  return address_among(platform, platform.store.domains(id), name);
}

PublicAddress whole_address_of(const Platform& platform, AppId id, const AppName& name) {
  auto domains = platform.store.domains(id);
  std::erase_if(domains, [](const Domain& domain) { return !domain.route.point.prefix.empty(); });
  return address_among(platform, std::move(domains), name);
}

std::string url_of(const Platform& platform, const HostName& host) {
  const bool is_https = has_certificate(platform, host);
  return fmt::format("{}://{}{}", is_https ? "https" : "http", host.unicode(), shown_port(platform, is_https));
}

std::string url_of(const Platform& platform, const AppName& app) {
  return url_of(platform, HostName::of_app(app, platform.settings.domain));
}

}  // namespace pushrod
