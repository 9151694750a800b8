// The files that HAProxy reads: haproxy.cfg, the maps of hosts and modes, the pages, the script. All disposable.
// Used inside router/ only.
#pragma once

#include <filesystem>

#include "router/haproxy_config.hh"
#include "router/router.hh"

namespace pushrod {

inline constexpr const char* kConfigFile = "haproxy.cfg";
inline constexpr const char* kMasterSocket = "master.sock";
inline constexpr const char* kProcessFile = "haproxy.pid";

// Writes the files in `directory` for the table, of which this is the rendering. When the structure changes, HAProxy
// checks the new configuration first. If it refuses that, the old configuration, host map and modes stay (pages and the
// script may be the new ones), and Error carries its words. A crash leaves the old or the new configuration, whole.
void install_files(const std::filesystem::path& directory, const Rendering& rendering, const RoutingTable& table);

// Own pages that no app shows any more; once HAProxy knows that.
void remove_old_pages(const std::filesystem::path& directory, const RoutingTable& table);

// Sockets and process number of a HAProxy that has ended. Only while none runs.
void remove_leftovers(const std::filesystem::path& directory);

}  // namespace pushrod
