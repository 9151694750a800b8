// Heroku's classic buildpacks: detect, compile, release, .profile.d. Used inside build/ only.
#pragma once

#include <optional>

#include "build/builders.hh"

namespace pushrod {

// From [build] buildpacks, or the lines of .buildpacks in the app's directory; absent without either. Throws UserError
// for an address without a commit in pushrod.toml, and for a directory that is not there.
std::optional<BuildPlan> plan_buildpacks(const AppTree& tree, const AppManifest& manifest, const Host& host);

}  // namespace pushrod
