// Which releases of an app are kept, and with them checkouts, logs and deployments. The caller holds the app's lock.
#pragma once

#include <vector>

#include "deploy/platform.hh"

namespace pushrod {

// Newest first: the releases of other checkouts than the live one's and the newest `keep` beside it, and those beyond
// the newest twenty of one checkout; but not those in use.
std::vector<Release> expendable_releases(const Platform& platform, const App& app, unsigned keep);

// Forgets releases beyond the retention, never the live one, the one before it, or one that has instances or jobs; then
// the checkouts that only they needed, what their instances wrote, and old deployments' logs.
void prune_releases(const Platform& platform, const App& app);

}  // namespace pushrod
