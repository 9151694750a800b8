// What becomes of the requests for an app.
#pragma once

#include <optional>
#include <string_view>

#include "os/clock.hh"

namespace pushrod {

// How long no request has gone to an app, and what is open now.
struct Idleness {
  unsigned open = 0;                     // requests, WebSockets
  std::optional<Milliseconds> idle_for;  // absent: no request since the router loaded its configuration
};

enum class TrafficMode {
  Serve,        // to its instances; without any: the 503 page
  Stopped,      // 503: somebody stopped it
  Maintenance,  // 503 with Retry-After: its own page, or ours
  Hold,         // they wait for a while and then go to whatever serves
  Asleep,       // they wait, and the daemon is called to wake it
};
std::string_view to_string(TrafficMode mode);  // "served", "stopped", "maintenance", "held", "asleep"

}  // namespace pushrod
