// What reaches a deployment from outside, and the daemon from a deployment.
#pragma once

#include <cstdint>

#include "deploy/platform.hh"

namespace pushrod {

// Asks the process of a deployment that is not finished to cancel it; false when there is none any more.
bool request_cancel(const Platform& platform, std::int64_t group);

// Within that process: has it been asked to? cancel_fd is readable then; -1: it cannot be asked.
bool is_cancelled(int cancel_fd);
void check_cancelled(int cancel_fd);  // throws Cancelled

// Tells the daemon that there is something to do; false when no daemon runs. It looks by itself as well, now and then.
bool wake_daemon(const Platform& platform);

}  // namespace pushrod
