// The deployments of an app: what was tried, and what came of it; redeploy and cancel.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "operate/change.hh"
#include "operate/json.hh"

namespace pushrod {

struct DeploymentView {
  Deployment deployment;
  bool is_current = false;  // the app runs what it made

  std::optional<Milliseconds> duration() const;  // absent while it is in progress
};
Json to_json(const DeploymentView& view);

// The newest first. Needs the right to see the app.
std::vector<DeploymentView> list_deployments(Session& session, const AppName& app, unsigned most);
// Throws UserError when there is none with this number.
DeploymentView require_deployment(Session& session, const AppName& app, ReleaseNumber number);

// A new build of the commit that the app's branch names; with no_cache, without what earlier builds have installed and
// cached. Throws UserError when the branch has none.
Change redeploy_change(Session& session, const AppName& app, bool no_cache = false);

// Asks the deployments of the app that are in progress to end, and returns their numbers. Throws UserError when none is
// in progress, and for one that is past its commit point.
std::vector<ReleaseNumber> cancel_deployments(Session& session, const AppName& app);

}  // namespace pushrod
