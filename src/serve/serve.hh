// `pushrod serve`: the daemon. Today the reconcile loop; cron, metrics, the HTTP API and the dashboard join it here.
// Floor 7.
#pragma once

#include "deploy/platform.hh"

namespace pushrod {

// Runs until stop_fd is readable. Throws UserError when another daemon serves this root.
void serve(const Platform& platform, int stop_fd);

}  // namespace pushrod
