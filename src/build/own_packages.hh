// Packages in directories of the app itself: workspaces, and those of "file:". Used inside build/ only.
#pragma once

#include <filesystem>
#include <optional>
#include <set>
#include <string>

#include "build/node_tool.hh"
#include "build/package_json.hh"

namespace pushrod {

struct OwnPackages {
  std::set<std::string> directories;  // "packages/web": linked to from node_modules
  std::set<std::string> modules;      // "packages/web/node_modules": where they may have packages that the root has not
  // Archives in the app, paths that lead out of its directory, patterns that are not understood, or more directories
  // than can be mounted.
  bool uses_tree = false;
};

// A directory below the app's, in the only way to write it, that can be an argument of a program.
bool is_plain_path(const std::string& path);

// From npm's lock file; absent for one that does not list them (of npm 6 or earlier).
std::optional<OwnPackages> packages_in_npm_lock(const std::string& lock);
// From pnpm's; absent for one that does not list them.
std::optional<OwnPackages> packages_in_pnpm_lock(const std::string& lock);
// Of yarn and bun: the packages that the patterns under "workspaces" name, where they are.
OwnPackages packages_of_workspaces(const std::filesystem::path& directory, const std::vector<std::string>& patterns);

// In the way of the tool; absent without such packages, or if nothing tells which ones there are.
std::optional<OwnPackages> own_packages(const std::filesystem::path& directory, const PackageJson& package,
                                        const NodeTool& tool, const std::string& lock);

}  // namespace pushrod
