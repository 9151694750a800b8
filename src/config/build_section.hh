// [build] in pushrod.toml.
// Used inside config/ only. docs/apps.md tells the keys.
#pragma once

#include <string>

#include "config/app_manifest.hh"
#include "config/toml_section.hh"

namespace pushrod {

// Call it last: a misspelt "command" is told as what it is, an unknown key.
std::string read_command_and_no_more(TomlSection& section);

void read_build(TomlSection& section, AppManifest& manifest);

}  // namespace pushrod
