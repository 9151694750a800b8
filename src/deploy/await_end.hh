// Waiting until instances have ended.
#pragma once

#include <vector>

#include "engine/engine.hh"

namespace pushrod {

// Removes them as they end, and returns those that the deadline found running; empty when nothing of them is left.
std::vector<InstanceName> await_end(Engine& engine, std::vector<InstanceName> names, Milliseconds at_most);

}  // namespace pushrod
