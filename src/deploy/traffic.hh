// What becomes of the requests for an app, from what the database says of it.
// Pure.
#pragma once

#include <vector>

#include "deploy/platform.hh"

namespace pushrod {

// `routed`: its instances of the routed type that serve or sleep. `holds`: a deployment of it wants requests to wait.
TrafficMode traffic_mode(const App& app, const std::vector<Instance>& routed, bool holds);

}  // namespace pushrod
