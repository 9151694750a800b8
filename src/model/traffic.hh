// What becomes of the requests for an app.
// Floor 2.
#pragma once

namespace pushrod {

enum class TrafficMode {
  Serve,        // to its instances; without any: the 503 page
  Stopped,      // 503: somebody stopped it
  Maintenance,  // 503 with Retry-After: its own page, or ours
  Hold,         // they wait for a while and then go to whatever serves
  Asleep,       // they wait, and the daemon is called to wake it
};

}  // namespace pushrod
