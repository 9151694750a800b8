// The releases of an app that are kept, and rolling back to one.
// A rollback brings back the code, settings and processes of a release, without a build. All apps of a branch go back
// together, since the branch's ref names what they run (I1).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "archive/transfer.hh"
#include "model/difference.hh"
#include "operate/change.hh"
#include "operate/json.hh"

namespace pushrod {

struct ReleaseView {
  Release release;
  bool is_live = false;
  std::optional<Deployment> made_by;  // absent when the record is no longer kept
  bool has_snapshot = false;          // of /data and databases, as they were when it was replaced
};
Json to_json(const ReleaseView& view);
// The newest first. Needs the right to see the app.
std::vector<ReleaseView> list_releases(Session& session, const AppName& app);

struct ReleaseInfo {
  ReleaseView view;
  std::optional<ReleaseNumber> before;  // the newest older release that is kept
  std::vector<Difference> changes;      // since that one
};
Json to_json(const ReleaseInfo& info);
// Throws UserError when it is not kept.
ReleaseInfo release_info(Session& session, const AppName& app, ReleaseNumber number);
// The first line of the message of the release's commit.
std::string subject_of(Session& session, const Release& release);

// To this release; without a number, to the newest one that differs from the live one (a restart makes one that does
// not). Needs the right to deploy all apps that go back. Throws UserError.
Change rollback_change(Session& session, const AppName& app, std::optional<ReleaseNumber> number);
// The rollback brings back /data and databases, too, as they were when that release was replaced; what they are now
// becomes a snapshot of the live release. Throws UserError if the release has no snapshot ([release] snapshot).
void add_snapshot(Session& session, Change& change, const Transfer& transfer);

}  // namespace pushrod
