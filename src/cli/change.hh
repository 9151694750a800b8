// Asking for a change of an app: what restart, scale, config and their like share.
#pragma once

#include "cli/context.hh"
#include "deploy/deploy.hh"

namespace pushrod {

// A change of this kind to one app at what its branch names now; the caller adds what the kind needs.
Change change_of(Context& context, const App& app, DeploymentKind kind);

// Deploys it, telling the person at standard output; a connection that drops does not stop it, Ctrl-C at a terminal
// does. Returns the exit code.
int run_change(Context& context, const Change& change);

// For people: "live" is what runs now; what ran once is "done".
std::string shown_state(const App& app, const Deployment& deployment);

// Throws UserError when nothing is live.
void require_deployed(const App& app, const std::string& to_do_what);

}  // namespace pushrod
