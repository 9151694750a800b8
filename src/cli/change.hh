// Deploying a change from the command line.
#pragma once

#include "operate/change.hh"
#include "operate/deployments.hh"
#include "tree/context.hh"

namespace pushrod {

// Deploys it and prints what happens. A connection that drops does not stop it, Ctrl-C at a terminal does. Returns the
// exit code.
int run_change(Context& context, const Change& change);

// The state that people read: "live" is the deployment that runs now, "done" one that was live before.
std::string shown_state(const DeploymentView& view);

}  // namespace pushrod
