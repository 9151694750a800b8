// What an npm lock file says of packages in directories of the app: workspaces, and those of "file:". Used inside
// build/ only.
#pragma once

#include <optional>
#include <set>
#include <string>

namespace pushrod {

struct OwnPackages {
  std::set<std::string> directories;  // "packages/web": linked to from node_modules
  std::set<std::string> modules;      // "packages/web/node_modules": where they have packages that the root has not
  // Archives in the app, paths that lead out of its directory, or more directories than can be mounted.
  bool uses_tree = false;
};

// Absent for a lock file that does not list them (of npm 6 or earlier).
std::optional<OwnPackages> own_packages(const std::string& lock);

}  // namespace pushrod
