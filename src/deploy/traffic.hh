// What becomes of the requests for apps: from the database to what the router is told.
#pragma once

#include <string>
#include <vector>

#include "deploy/platform.hh"

namespace pushrod {

// `routed`: its instances of the routed type that serve or sleep. `holds`: a deployment of it wants requests to wait.
TrafficMode traffic_mode(const App& app, const std::vector<Instance>& routed, bool holds);

// Every app's target for the router, from the database: instances of the routed type that serve. Those that
// sleep are there, too, so that a request that was on its way already finds them.
std::vector<TrafficTarget> traffic_targets(const Platform& platform);

// Reads the targets and makes the router follow them, as one step: the lock sees to it that an older reading never
// replaces a newer one.
void publish_routes(const Platform& platform);

// Does the router know of a request that one of them has not finished?
bool have_requests(const Platform& platform, const std::vector<Instance>& instances);

// "http://blog.localhost:8080"
std::string url_of(const Platform& platform, const AppName& app);

}  // namespace pushrod
