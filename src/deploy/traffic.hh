// What happens to the requests for apps: from the database to the targets of the router.
#pragma once

#include <string>
#include <vector>

#include "deploy/platform.hh"

namespace pushrod {

// `routed`: its instances of the routed type that serve or sleep. `holds`: a deployment of it wants requests to wait.
TrafficMode traffic_mode(const App& app, const std::vector<Instance>& routed, bool holds);

// Every app's target for the router, from the database: its instances with a port that serve. While the app sleeps or
// is held, also those that sleep, so that a request that has passed the check still finds them. While a watched release
// is failing: the instances on standby, if there are any.
std::vector<TrafficTarget> traffic_targets(const Platform& platform);

// Reads the targets and hands them to the router under one lock, so that an older reading never replaces a newer one.
void publish_routes(const Platform& platform);

// Does the router know of a request that one of them has not finished?
bool have_requests(const Platform& platform, const std::vector<Instance>& instances);

// "http://blog.localhost:8080"
std::string url_of(const Platform& platform, const AppName& app);

}  // namespace pushrod
