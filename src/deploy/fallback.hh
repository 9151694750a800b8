// Falling back from a watched release that keeps ending to the release before it (model/watch.hh).
#pragma once

#include <cstdint>
#include <optional>

#include "deploy/change.hh"
#include "deploy/platform.hh"

namespace pushrod {

// The change that takes all apps of a failing watch back: routes, ref, settings and scale. It needs no build, and no
// start where instances are on standby. `group`: the deployment whose release is watched. Absent when the watch is not
// failing any more, or when the fallback is in progress. Throws UserError when there is no way back.
std::optional<Change> fallback_change(const Platform& platform, std::int64_t group);

// Throws UserError when the change is a fallback and another process carries it out already. The caller holds the lock
// under which deployments begin.
void check_only_fallback(const Platform& platform, const Change& change);

// A fallback that fails ends the watch: the app goes on with what it has. One that is killed is undone like any other
// deployment, and due again.
void end_failed_fallback(const Platform& platform, std::int64_t group);

}  // namespace pushrod
