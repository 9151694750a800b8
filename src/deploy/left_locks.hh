// Lock files of deployments and jobs that have ended.
#pragma once

#include "deploy/platform.hh"

namespace pushrod {

// Removes the lock files whose process was killed between the end of its deployment or job and the removal of its lock
// file. Those of deployments and jobs that go on, or whose process still runs, stay. Safe to run at any moment.
void remove_left_locks(const Platform& platform);

}  // namespace pushrod
