// What becomes of the requests for an app.
// The order says what is more: a page for visitors, an app that is meant to be down, one that is to come back.
#include "deploy/traffic.hh"

#include <algorithm>

namespace pushrod {

TrafficMode traffic_mode(const App& app, const std::vector<Instance>& routed, bool holds) {
  if (app.maintenance == Maintenance::Page) return TrafficMode::Maintenance;
  if (app.maintenance == Maintenance::Hold || holds) return TrafficMode::Hold;
  if (app.stopped) return TrafficMode::Stopped;
  const bool sleeps = !routed.empty() && std::all_of(routed.begin(), routed.end(), [](const Instance& instance) {
    return instance.state == InstanceState::Asleep;
  });
  return sleeps ? TrafficMode::Asleep : TrafficMode::Serve;
}

}  // namespace pushrod
