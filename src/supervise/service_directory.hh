// Rendering service directories.
// Used inside supervise/ only.
#pragma once

#include <filesystem>
#include <string>

#include "supervise/supervise.hh"

namespace pushrod {

// What pushrod-shim reads to become s6-log: at most log_bytes in each directory, lines stamped and split.
std::string render_log_spec(const Service& service);

// A symlink at path, in place of what is there. Not flushed to disk, as nothing under run/ is: that is rendered anew
// after a reboot.
void link_to(const std::filesystem::path& path, const std::filesystem::path& target);

// Writes the directory, which must not exist, and makes the log directory.
void render_service(const Service& service, const std::filesystem::path& shim, const std::filesystem::path& directory);

}  // namespace pushrod
