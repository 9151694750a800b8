// The format of a lock file, as its beginning tells. Used inside build/ only.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

namespace pushrod {

// The first 4 KiB of a file of the tree; lock files can be larger than what is read of other files. Empty: there is no
// plain file of that name.
std::string beginning_of(const std::filesystem::path& directory, const std::string& name);

// The number after "key:" in the text, to a tenth, as in "lockfileVersion: '9.0'".
std::optional<double> number_after(const std::string& text, const std::string& key);

}  // namespace pushrod
