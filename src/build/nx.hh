// Nx: the app of a workspace that serves. Used inside build/ only.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "build/package_json.hh"

namespace pushrod {

struct NxApp {
  std::string build;    // "nx build api"
  std::string command;  // "HOST=127.0.0.1 node apps/api/dist/main.js"
};
// The only program for Node.js whose project says how it is built (project.json, or "nx" in its package.json). Absent
// for a workspace with its own build or start script, and for one with several programs.
std::optional<NxApp> nx_app(const std::filesystem::path& directory, const PackageJson& package);

}  // namespace pushrod
