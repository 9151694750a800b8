// Where the checkouts of an app lie.
// checkouts/<app>/ holds what is live and what is being deployed, at most two (I4); releases/<app>/ what is kept for a
// rollback. A checkout that moves from one to the other may still be in use by instances that drain: their mounts
// follow it.
#pragma once

#include <optional>
#include <string>

#include "deploy/platform.hh"

namespace pushrod {

// The directory of a checkout: in releases/ if it lies there, otherwise in checkouts/.
Checkout find_checkout(const Layout& layout, const AppName& app, ReleaseNumber number);

// Puts every checkout where it belongs: the live release's (and `deploying`, if given) in checkouts/, the others that a
// release needs in releases/; discards what no release needs. Converges from every state that a crash leaves. The
// caller holds the app's lock.
void place_checkouts(const Platform& platform, const App& app, std::optional<ReleaseNumber> deploying = {});

// The number of the release or the deployment that a name of a directory or a log is; absent for any other name.
std::optional<ReleaseNumber> number_of(const std::string& name);

}  // namespace pushrod
