// Going on without the process that started this one, and a second process beside it.
#pragma once

#include <functional>

#include "os/unique_fd.hh"

namespace pushrod {

// Splits the process in two. The child has a session of its own and /dev/null as standard descriptors. It calls
// `begin`; then this returns true in the child, and false in the parent, which must end soon. When `begin` throws
// Error, the child ends and this throws the same message in the parent; it also throws when the child was killed
// before. Only for a process with one thread that has no database open.
bool go_to_background(const std::function<void()>& begin);

// Starts a copy of this process, which calls `work` and ends when that returns or throws. The kernel kills it when this
// process ends. It costs only the memory that either of the two writes to. Returns its pidfd, readable when it has
// ended. Only for a process with one thread that has no database open.
UniqueFd start_copy(const std::function<void()>& work);

}  // namespace pushrod
