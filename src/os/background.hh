// Going on without the process that started this one, and a second process beside it.
#pragma once

#include <functional>

#include "os/unique_fd.hh"

namespace pushrod {

// Splits the process in two. The one that goes on has a session of its own, no parent that waits for it and nothing but
// /dev/null as standard descriptors; it calls `begin`, and then this returns true in it. In the one that was started it
// returns false, once `begin` has returned over there, and that process is to end. Throws Error in the latter when
// `begin` threw, and in the former nothing at all: it has ended. Only for a process with one thread that has no
// database open.
bool go_to_background(const std::function<void()>& begin);

// Starts a copy of this process, which calls `work` and ends when that returns or throws. The kernel kills it when this
// process ends. It costs only the memory that either of the two writes to. Returns its pidfd, readable when it has
// ended. Only for a process with one thread that has no database open.
UniqueFd start_copy(const std::function<void()>& work);

}  // namespace pushrod
