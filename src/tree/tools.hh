// The outside tools that Pushrod uses: which of them are there, and new enough.
// They are asked themselves; nothing is concluded from a distribution's name.
#pragma once

#include <vector>

#include "engine/finding.hh"

namespace pushrod {

std::vector<Finding> examine_tools();
// Throws UserError, which names those without which nothing works and what brings them.
void require_tools();

}  // namespace pushrod
