// Makes room on the disk at an operator's request.
#pragma once

#include <optional>
#include <vector>

#include "deploy/make_room.hh"
#include "operate/json.hh"
#include "operate/session.hh"

namespace pushrod {

struct Pruned {
  std::vector<Removed> removed;
  std::uint64_t freed_bytes = 0;
  std::uint64_t free_bytes = 0;  // of the file system, afterwards
};
Json to_json(const Pruned& pruned);

// Removes what is kept for rollbacks and builds: of one app, which needs the right to administer it, or of all, which
// needs an administrator.
Pruned prune(Session& session, const std::optional<AppName>& app);

}  // namespace pushrod
