// Waiting until instances have ended.
#pragma once

#include <vector>

#include "deploy/platform.hh"

namespace pushrod {

// Removes those that have ended, from the engine and the ingress; returns those that still run.
std::vector<InstanceName> remove_ended(const Platform& platform, const std::vector<InstanceName>& names);

// Removes them as they end, and returns those that the deadline found running; empty when nothing of them is left.
std::vector<InstanceName> await_end(const Platform& platform, std::vector<InstanceName> names, Milliseconds at_most);

}  // namespace pushrod
