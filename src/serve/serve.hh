// `pushrod serve`: the daemon. Today the reconcile loop; cron, metrics, the HTTP API and the dashboard join it here.
#pragma once

#include "deploy/platform.hh"
#include "serve/watchdog.hh"

namespace pushrod {

// Runs until stop_fd is readable. Throws UserError when another daemon serves this root, and Error when the watchdog
// has ended: s6 starts both again.
void serve(const Platform& platform, Watchdog& watchdog, int stop_fd);

}  // namespace pushrod
