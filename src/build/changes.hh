// What a build has changed in a layer. Used inside build/ only.
#pragma once

#include <filesystem>

namespace pushrod {

// The upper directory of an overlay: is there anything in it but caches of build tools, which no process needs?
bool holds_changes(const std::filesystem::path& upper);

}  // namespace pushrod
