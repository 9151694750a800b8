// Falling back from a watched release that keeps ending to the release before it (model/watch.hh).
#pragma once

#include <cstdint>

#include "deploy/deploy.hh"

namespace pushrod {

// The deployment that takes all apps of a failing watch back: routes, ref, settings and scale. It needs no build and
// no start where instances are on standby. A fallback that fails ends the watch: the app goes on with what it has. One
// that is killed is undone like any deployment, and due again. Does nothing (Outcome::live is false) when the watch is
// not failing any more.
Outcome fall_back(const Platform& platform, std::int64_t group, Journal& journal, int cancel_fd);

}  // namespace pushrod
