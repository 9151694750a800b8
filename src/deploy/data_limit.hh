// [limits] data_bytes: an app whose /data has more is stopped.
// It is enforced by watching: the daemon's tidier looks, every minute and after each deployment. A quota of the file
// system would need root.
#pragma once

#include "deploy/platform.hh"

namespace pushrod {

void stop_overfull_apps(const Platform& platform);

}  // namespace pushrod
