// What becomes of the requests for an app.
#pragma once

#include <optional>
#include <string_view>

#include "os/clock.hh"

namespace pushrod {

// How long an app has had no request, and how many are open now.
struct Idleness {
  unsigned open = 0;                     // requests, WebSockets
  std::optional<Milliseconds> idle_for;  // absent: no request since the router loaded its configuration
};

enum class TrafficMode {
  Serve,        // to its instances; without any: the 503 page
  Stopped,      // 503: an operator stopped it
  Maintenance,  // 503 with Retry-After: its own page, or the usual one
  Hold,         // they wait for a limited time, and then go to the instances that serve
  Asleep,       // they wait, and the router calls the daemon to wake the app
};
std::string_view to_string(TrafficMode mode);  // "served", "stopped", "maintenance", "held", "asleep"

}  // namespace pushrod
