// A process that is not a child of this one, as a descriptor.
#pragma once

#include <sys/types.h>

#include "os/unique_fd.hh"

namespace pushrod {

// A pidfd: readable when the process has ended. Empty when there is no such process (any more). Throws SystemError.
UniqueFd open_process(pid_t pid);

}  // namespace pushrod
