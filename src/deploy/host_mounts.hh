// Directories of this machine that a release mounts: whether the operator offers them to its app, and whether they are
// fit. Both are looked at each time that something of the release starts, so that a change of server.toml counts from
// then on.
#pragma once

#include <string>

#include "deploy/platform.hh"
#include "model/host_mount.hh"

namespace pushrod {

// As its sandboxes get them (instances, jobs, the release command). Reads server.toml itself, since a daemon has the
// settings of its start. Throws UserError when one is not offered to the app, or is not fit.
HostDirectories host_directories_of(const Platform& platform, const Release& release);

// Why apps cannot mount it; empty: they can. It must be there, its path must be trusted (os/trusted_path.hh), and it
// must not hold Pushrod's own files or lie among them.
std::string why_unfit(const Layout& layout, const OfferedDirectory& offered);

}  // namespace pushrod
