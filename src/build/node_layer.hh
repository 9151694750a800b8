// The layer of a Node.js app's packages. Used inside build/ only.
#pragma once

#include <optional>
#include <string>

#include "build/builders.hh"
#include "build/node_tool.hh"
#include "build/package_json.hh"

namespace pushrod {

// The packages that the tool installs in the directory `where` of the root. Absent where that depends on more of the
// tree than a few files: without a lock file, with patches, with packages in the app's own directories that are not
// those of a workspace. The scripts of those run after it.
std::optional<LayerPlan> node_layer(const AppTree& tree, const std::string& where, const PackageJson& package,
                                    const NodeTool& tool, const Host& host, bool has_own_node);

// The scripts of package.json that the tool would have run after it installed the packages.
std::vector<BuildStep> own_install_scripts(const AppTree& tree, const std::string& where, const PackageJson& package,
                                           const NodeTool& tool);

}  // namespace pushrod
