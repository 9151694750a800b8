// server.toml → Settings.
// Floor 3. Unknown keys, wrong types and values out of range are UserErrors with file, line, and the nearest known key.
#pragma once

#include <filesystem>
#include <string>

#include "model/settings.hh"

namespace pushrod {

Settings parse_settings(const std::string& text, const std::string& file_name);
// A missing file gives the defaults.
Settings load_settings(const std::filesystem::path& file);

}  // namespace pushrod
