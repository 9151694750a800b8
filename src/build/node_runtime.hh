// A Node.js that the machine does not have, from the npm registry: a layer of its own, which other layers are made
// with. The layer keeps the version that it was made with: releases use it until the app asks for another one. Used
// inside build/ only.
#pragma once

#include <optional>
#include <string>

#include "build/builders.hh"

namespace pushrod {

// Absent: the machine's Node.js will do, or the registry has none for this processor. `install`: the directory of the
// root where packages are installed; what the app's own directory asks for goes first.
std::optional<LayerPlan> node_runtime(const AppTree& tree, const std::string& where, const std::string& install,
                                      const std::string& package_manager, const Host& host);

// For the build and for every process; for the build alone.
inline constexpr const char* kNodeRuntimePrograms = "/node/bin";
std::map<std::string, std::string> node_runtime_build_environment();

}  // namespace pushrod
