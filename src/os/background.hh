// Going on without whoever started us.
// Floor 1.
#pragma once

#include <functional>

namespace pushrod {

// Splits the process in two. The one that goes on has a session of its own, no parent that waits for it and nothing but
// /dev/null as standard descriptors; it calls `begin`, and then this returns true in it. In the one that was started it
// returns false, once `begin` has returned over there, and that process is to end. Throws Error in the latter when
// `begin` threw, and in the former nothing at all: it has ended. Only for a process with one thread that has no
// database open.
bool go_to_background(const std::function<void()>& begin);

}  // namespace pushrod
