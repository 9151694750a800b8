// One piece of work of many: what fails is said, and tried again in the next pass; the others have their turn.
// Used by the reconciler and the tidier.
#pragma once

#include <functional>
#include <string>

namespace pushrod {

// Runs the action; false when it threw, which is reported to standard error as "<doing>: <why>; <what to do>".
bool attempt(const std::string& doing, const std::function<void()>& action);

}  // namespace pushrod
