// What Pushrod reads in a package.json. Used inside build/ only.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace pushrod {

// Values of another type than npm expects are left out: npm says what is wrong with them.
struct PackageJson {
  std::string name;                            // empty: not given
  std::map<std::string, std::string> scripts;  // those that are not empty
  std::set<std::string> dependencies;          // their names, those for development included
  bool asks_for_install = false;               // `npm install` has something to do
  bool allows_scripts = false;                 // it says of which packages npm runs install scripts
  std::vector<std::string> workspaces;         // patterns of the directories of its packages
  std::string main;                            // as written; empty: not given
  std::string package_manager;                 // "pnpm@9.0.0+sha512.…", as written; empty: not given
  std::map<std::string, std::string> engines;  // "node": ">=18"
  std::map<std::string, std::string> volta;    // "node": "20.1.0"
  std::string prisma_schema;                   // where Prisma's schema is; empty: not given
};

// Absent when there is none in the directory. Throws UserError, with line and column, when it is not a JSON object.
std::optional<PackageJson> read_package_json(const std::filesystem::path& directory);

// How such an app is started without a start script: server.js, as npm does, or its main file, as `node .` does.
// Empty when neither is there; a main file that a build script may yet write counts.
std::string command_without_start_script(const std::filesystem::path& directory, const PackageJson& package);

// The same for an app whose package.json names no file: "node app.js"; empty: it has none of the usual ones.
std::string command_of_usual_file(const std::filesystem::path& directory);

}  // namespace pushrod
