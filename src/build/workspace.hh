// Workspaces of Node.js packages: several packages of a repo that share one lock file, which lies in the directory
// above them. Used inside build/ only.
#pragma once

#include <string>

#include "build/builder.hh"

namespace pushrod {

// The directory of the root in which the dependencies of the package at `package` are installed: that of the workspace
// which it is part of, or its own.
std::string install_directory(const AppTree& tree, const std::string& package);

}  // namespace pushrod
