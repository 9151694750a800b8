// Where the checkouts of an app lie, and which are kept.
// Checkouts/<app>/ holds what is live and what is being deployed, at most two (I4); releases/<app>/ what is
// kept for a rollback. A checkout that moves from one to the other may still be in use by instances that drain: their
// mounts follow it. The caller holds the app's lock.
#pragma once

#include <optional>

#include "deploy/platform.hh"

namespace pushrod {

// The directory of a checkout, wherever it lies now (in checkouts/ if nowhere).
Checkout find_checkout(const Layout& layout, const AppName& app, ReleaseNumber number);

// Puts every checkout where it belongs: the live release's (and `deploying`, if given) in checkouts/, the others that a
// release needs in releases/; removes what no release needs. Converges from whatever a crash left.
void place_checkouts(const Platform& platform, const App& app, std::optional<ReleaseNumber> deploying = {});

// Moves a directory out of the way at once; empty_trash() deletes it later, without any app's lock. One on another file
// system cannot be moved there, and is deleted on the spot.
void discard(const Layout& layout, const std::filesystem::path& directory);
// Returns when it is empty, or was a moment ago; waits for whoever empties it already.
void empty_trash(const Layout& layout);

// Newest first: the releases of other checkouts than the live one's and the newest `keep` beside it, and those beyond
// the newest twenty of one checkout; but not those in use.
std::vector<Release> expendable_releases(const Platform& platform, const App& app, unsigned keep);

// Forgets releases beyond the retention, never the live one, the one before it, or one that has instances or jobs; then
// the checkouts that only they needed, what their instances wrote, and old deployments' logs.
void prune_releases(const Platform& platform, const App& app);

}  // namespace pushrod
