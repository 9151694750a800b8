// The submodules of a commit, as layers: each is fetched once, and mounted where it belongs. Private to deploy/.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "build/plan.hh"
#include "git/submodules.hh"
#include "model/release.hh"

namespace pushrod {

// Those that lie in the release's build root. `tree`: the commit's files. Throws UserError for one that has no address,
// or one that Pushrod does not fetch from.
std::vector<LayerPlan> submodule_layers(const Repository& repository, const Release& release,
                                        const std::filesystem::path& tree);

}  // namespace pushrod
