// Changes of an app that are deployments: what restart, scale, config and rollback share.
#pragma once

#include "deploy/deploy.hh"
#include "operate/audit.hh"
#include "operate/session.hh"

namespace pushrod {

// A change of this kind to one app, at the commit that it runs (a redeploy: that its branch names); the caller adds
// what the kind needs.
Change change_of(Session& session, const App& app, DeploymentKind kind);

// Deploys the change, with a record in the audit for each of its apps. The journal tells what happens. cancel_fd
// becomes readable when the caller wants it to stop (os/stop_signal.hh), which counts up to the commit point. Throws
// UserError when the engine does not run.
Outcome deploy_audited(Session& session, const Change& change, Journal& journal, int cancel_fd,
                       const Observer& observer = {});

// Throws UserError when nothing is live.
void require_deployed(const App& app, const std::string& to_do_what);

}  // namespace pushrod
