// What becomes of a deployment whose steps do not go on: undone before its commit point, finished after it.
// All of it is read from the database, so that it works as well for a deployment of a process that is gone. The caller
// holds the locks of all its apps.
#pragma once

#include <cstdint>
#include <functional>
#include <set>
#include <vector>

#include "deploy/platform.hh"

namespace pushrod {

// Did the deployment pass its commit point? For a change that moves the ref, the ref says so (I1).
bool is_committed(const Platform& platform, const Deployment& deployment);

// Everything that is left to do after the commit point; each part may have been done already. `on_live`: see Observer.
void finish(const Platform& platform, std::int64_t group, const std::function<void()>& on_live = {});

// Nothing of a failed deployment is left: its instances, its checkout, its release; and what it stopped is up again.
void undo(const Platform& platform, std::int64_t group, const Failure& why);

// Finishes or undoes a deployment whose process is gone. `why` is told as the reason of one that is undone.
void settle(const Platform& platform, std::int64_t group, const Failure& why);
// The same, because the process was killed; removes the lock file that it left.
void settle_killed(const Platform& platform, std::int64_t group);

// The deployments of these apps whose process was killed: begun, unfinished, and no process holds their lock.
std::vector<Deployment> interrupted_deployments(const Platform& platform, const std::set<AppId>& apps);

}  // namespace pushrod
