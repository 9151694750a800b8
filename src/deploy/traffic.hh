// What happens to the requests for apps: from the database to the targets of the router.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "deploy/platform.hh"

namespace pushrod {

// `routed`: its instances of the routed type that serve or sleep. `holds`: a deployment of it wants requests to wait.
TrafficMode traffic_mode(const App& app, const std::vector<Instance>& routed, bool holds);

// By app: its own address, <app>.<domain>, and its domains. Where [http] domain was changed and an app's own address is
// now the domain of another, the own address counts.
std::map<AppId, std::vector<Route>> routes_of_apps(const Platform& platform);

// Every app's target for the router, from the database: its instances with a port that serve. While the app sleeps or
// is held, also those that sleep, so that a request that has passed the check still finds them. While a watched release
// is failing: the instances on standby, if there are any.
std::vector<TrafficTarget> traffic_targets(const Platform& platform);

// Reads the targets and hands them to the router under one lock, so that an older reading never replaces a newer one.
void publish_routes(const Platform& platform);

// Does the router know of a request that one of them has not finished?
bool have_requests(const Platform& platform, const std::vector<Instance>& instances);

// Does the router show a certificate for the host? Then it answers over https, and sends clients there.
bool has_certificate(const Platform& platform, const HostName& host);

// The host name by which clients reach the app: the oldest of its domains that leads to the whole app, or else to a
// path of it; without a domain the app's own address.
PublicAddress address_of(const Platform& platform, AppId id, const AppName& name);
// The same without domains that lead to a path.
PublicAddress whole_address_of(const Platform& platform, AppId id, const AppName& name);

// "http://www.example.com", or https when the host has a certificate.
std::string url_of(const Platform& platform, const HostName& host);
// "http://blog.localhost:8080": the app's own address.
std::string url_of(const Platform& platform, const AppName& app);

}  // namespace pushrod
