// `pushrod serve`: the daemon. The reconciler runs in the calling thread. Beside it run threads that tidy up, start
// cron jobs, watch new releases, put idle apps to sleep and wake them; each has its own database connection.
#pragma once

#include "deploy/platform.hh"
#include "serve/watchdog.hh"

namespace pushrod {

// Runs until stop_fd is readable; the process must end then, because the threads are never joined. Throws UserError
// when another daemon serves this root, and Error when the watchdog has ended: s6 starts both again. `platform` is used
// by the threads for as long as the process lives.
void serve(const Platform& platform, Watchdog& watchdog, int stop_fd);

}  // namespace pushrod
