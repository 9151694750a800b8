// Apps come and go: create, rename, destroy.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "operate/change.hh"

namespace pushrod {

struct CreatedApp {
  App app;
  std::string url;                 // where it will answer
  std::string push_url;            // for git push
  std::optional<CommitId> commit;  // that its branch names already
};
// For administrators of the machine. Creates the repo if it is new. Throws UserError when the app exists.
CreatedApp create_app(Session& session, const AppName& name, const Source& source);

// For administrators of the machine, to which names belong. Throws UserError when the name is taken.
Change rename_change(Session& session, const AppName& app, const AppName& new_name);

struct AppRemoval {
  App app;
  bool with_repo = false;                // no other app uses it
  std::vector<BackingService> services;  // that no other app uses: they stay, with their data
};
// What destroying the app would delete. Needs the right to administer the app.
AppRemoval removal_of(Session& session, const AppName& app);
// Deletes the app with its data, releases and logs, and tells what it deleted.
AppRemoval destroy_app(Session& session, const AppName& app);
// And then those services. For administrators of the machine. Killed in between, it leaves services for
// destroy_service().
AppRemoval destroy_app_with_services(Session& session, const AppName& app);

}  // namespace pushrod
