// The daemon's threads that put apps to sleep and wake them. They run beside its loop, because a wake must not wait for
// the reconciler, or for the start of another app.
// They are never joined: the daemon is crash-only.
#pragma once

#include "deploy/platform.hh"

namespace pushrod {

// Begins to listen on layout.wake_socket() and to look for idle apps.
void start_sleepers(const Platform& platform);

}  // namespace pushrod
