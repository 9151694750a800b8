// The files that HAProxy reads: haproxy.cfg, the maps, the pages, the script. All disposable.
// Used inside router/ only.
#pragma once

#include <filesystem>

#include "router/haproxy_config.hh"
#include "router/router.hh"

namespace pushrod {

inline constexpr const char* kConfigFile = "haproxy.cfg";
inline constexpr const char* kMasterSocket = "master.sock";
inline constexpr const char* kProcessFile = "haproxy.pid";

// Writes the files in `directory`. When the structure changes, HAProxy checks the new configuration first. If it
// refuses that, the old configuration and maps stay (pages and the script may be the new ones), and Error carries its
// words. A crash in between leaves each file old or new, whole; with every mixture of these no request goes to another
// app.
void install_files(const std::filesystem::path& directory, const Rendering& rendering);

// The slots of the files in `directory`; none without files.
Slots installed_slots(const std::filesystem::path& directory);

// Own pages that no app shows any more; once HAProxy knows that.
void remove_old_pages(const std::filesystem::path& directory, const Rendering& rendering);

}  // namespace pushrod
