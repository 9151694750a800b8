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
};

// Absent for a lock file that does not list them (of npm 6 or earlier), and for packages that are in the app as
// archives.
std::optional<OwnPackages> own_packages(const std::string& lock);

}  // namespace pushrod
