// app set: another branch, repo, directory or manifest for an app.
#pragma once

#include <optional>
#include <string>

#include "operate/change.hh"

namespace pushrod {

// What changes; absent parts stay. An empty text means the default.
struct SourceEdit {
  std::optional<RepoName> repo{};
  std::optional<BranchName> branch{};
  std::optional<std::string> path{}, config{}, build_root{};  // as people write them
};

// What a request comes to. Neither is set when the app's code already comes from there.
struct SourceChange {
  App before;
  Source source;
  bool is_saved = false;         // for the first deployment of an app that is not deployed
  std::optional<Change> change;  // to be deployed
};
// For administrators of the machine, to which repos and branches belong. A deployed app goes to the commit that the
// branch names; a branch that does not exist begins at the commit that the app runs. Throws UserError.
SourceChange change_source(Session& session, const AppName& app, const SourceEdit& edit);

// Whether the app has left a branch from which no app runs now.
bool has_left_unused_branch(Session& session, const SourceChange& change);

}  // namespace pushrod
