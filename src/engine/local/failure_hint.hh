// The hint for an instance that is not healthy, derived from evidence; empty if there is none.
#pragma once

#include <string>
#include <vector>

#include "engine/engine.hh"
#include "os/listeners.hh"
#include "supervise/supervise.hh"

namespace pushrod {

// `status`: of its service, with the last exit that is meant. `answered`: it gave an answer to the health check, but
// not that of a healthy one. `output`: raw lines, oldest first. An instance that runs is asked for its listening
// sockets.
std::string explain_unhealthy(const InstancePlan& plan, const ServiceStatus& status, bool answered,
                              const std::vector<std::string>& output);

// For an instance that runs, but does not accept connections on its port.
std::string hint_from_listeners(Port port, const std::vector<Listener>& listeners);

}  // namespace pushrod
