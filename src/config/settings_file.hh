// server.toml → Settings.
// Unknown keys, wrong types and values out of range are UserErrors with file, line, and the nearest known key.
// So are settings that contradict each other: a range of ports that holds none, one port for two listeners, a listener
// within the range of the apps' ports.
#pragma once

#include <filesystem>
#include <string>

#include "model/settings.hh"

namespace pushrod {

// What the text does not say is as in `defaults`.
Settings parse_settings(const std::string& text, const std::string& file_name, const Settings& defaults = {});
// A missing file says nothing. It must be a plain file (or a symlink to one) of at most 1 MB.
Settings load_settings(const std::filesystem::path& file, const Settings& defaults = {});

}  // namespace pushrod
