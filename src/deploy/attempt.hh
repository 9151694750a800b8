// One piece of work of many: a failure is reported, and the others go on. Used where no caller could handle the error:
// in the daemon's loops, and for parts of an operation that may fail without changing its result.
#pragma once

#include <functional>
#include <string>

namespace pushrod {

// Runs the action; false when it threw, which is reported to standard error as "<doing>: <why>; <what to do>".
bool attempt(const std::string& doing, const std::function<void()>& action);

}  // namespace pushrod
