// The daemon's threads that put apps to sleep and wake them, beside its loop: a wake cannot wait for a reconciler that
// stops something else, nor for another app's start.
// They are never joined: the daemon is crash-only.
#pragma once

#include "deploy/platform.hh"

namespace pushrod {

// Begins to listen on layout.wake_socket() and to look for idle apps.
void start_sleepers(const Platform& platform);

}  // namespace pushrod
