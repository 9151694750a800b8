// What this machine has and lacks.
#pragma once

#include <vector>

#include "operate/json.hh"
#include "operate/session.hh"
#include "tree/tools.hh"

namespace pushrod {

// Every outside tool and kernel feature that Pushrod uses, and the state of the root directory. The tools are asked and
// features are tried out; a distribution's name decides nothing. Needs an administrator.
std::vector<Finding> examine_machine(Session& session);
bool can_run(const std::vector<Finding>& findings);

Json to_json(const Finding& finding);

}  // namespace pushrod
