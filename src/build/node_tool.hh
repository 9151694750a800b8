// Which tool installs a Node.js app's packages and runs its scripts: npm, pnpm, yarn or bun. Used inside build/ only.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "build/builders.hh"
#include "build/package_json.hh"

namespace pushrod {

struct NodeTool {
  std::string name = "npm";
  bool is_modern_yarn = false;  // version 2 or later, which is another program than version 1
  bool is_locked = false;       // its lock file is there
  std::string lock_file{};      // its name; empty: there is none
  // Its name and version in the registry ("pnpm@9.0.0"): it is installed into the app at /app/.pushrod, so that scripts
  // find it at run time as well. Empty: the machine's is used.
  std::string package{};
  std::string committed{};          // modern yarn in the app: ".yarn/releases/yarn-4.9.2.cjs", in place of a package
  bool says_what_is_built = false;  // pnpm: the app does, of the packages that have install scripts
  bool has_own_cache = false;       // modern yarn: the app has the packages in .yarn/cache ("zero-install")
};

inline bool has_own_tool(const NodeTool& tool) { return !tool.package.empty() || !tool.committed.empty(); }

// The tool that packageManager in package.json names; otherwise that of the lock file; otherwise npm. Adds a notice for
// each lock file that it does not use, and for a packageManager that it does not know.
NodeTool choose_node_tool(const std::filesystem::path& directory, const PackageJson& package, const Host& host,
                          std::vector<std::string>& notices);

// Does one of the tools find its lock file there?
bool has_lock_file(const std::filesystem::path& directory);

// Shell text, lines. Installs the tool itself; empty if the machine's is used. `directory`: in the sandbox, of the lock
// file.
std::string install_tool(const NodeTool& tool, const std::string& directory);
// Installs the app's packages, those for development included, as its lock file says.
std::string install_packages(const NodeTool& tool);
// "pnpm install": what install_packages() does, in short.
std::string described_install(const NodeTool& tool);
// The tool for people, if it is the app's own: "pnpm@9.0.0", ".yarn/releases/yarn-4.9.2.cjs"; otherwise empty.
std::string told_tool(const NodeTool& tool);
// Runs a script of package.json.
std::string run_script(const NodeTool& tool, const std::string& script);

// For the build and for every process.
std::map<std::string, std::string> tool_variables(const NodeTool& tool);
// Where the tool's programs lie: "/app/.pushrod/node_modules/.bin"; empty: on every PATH.
std::string tool_directory(const NodeTool& tool);

}  // namespace pushrod
