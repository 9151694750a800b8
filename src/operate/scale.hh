// How much of an app runs: scale, stop, start, restart.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "operate/change.hh"
#include "operate/json.hh"

namespace pushrod {

using Counts = std::map<ProcessType, std::uint32_t>;

struct ScaleLine {
  std::string type;
  std::uint32_t count = 0;
  bool is_scaled = false;   // by an operator; otherwise by the app's files
  bool is_pending = false;  // for a release that has this type
};
Json to_json(const ScaleLine& line);

// The process types of the live release, then those whose counts are kept for a later one. Needs the right to deploy.
std::vector<ScaleLine> scale_of(Session& session, const AppName& app);

// What a request to scale comes to.
struct ScaleChange {
  Counts kept;                   // for types that the live release lacks: kept for a release that has them
  std::optional<Change> change;  // to be deployed; absent when nothing that runs changes
};
// Keeps the counts of types that the live release lacks, and returns the rest. Before the first release every type may
// be named. Later, a type that the live release lacks is a mistake unless its count is 0 or one is already kept for it.
// Throws UserError.
ScaleChange scale(Session& session, const AppName& app, const Counts& counts);

// The deployments to be made. Throw UserError when the app is not deployed, or when there is nothing to do.
Change stop_change(Session& session, const AppName& app);
Change start_change(Session& session, const AppName& app);
Change restart_change(Session& session, const AppName& app, const std::optional<ProcessType>& only);

}  // namespace pushrod
