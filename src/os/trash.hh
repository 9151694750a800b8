// Directories that are out of use, on their way to deletion.
#pragma once

#include <filesystem>

namespace pushrod {

// Moves a directory out of the way at once, into `trash`, from where it is deleted later. One on another file system
// cannot be moved there, and is deleted on the spot.
void move_to_trash(const std::filesystem::path& trash, const std::filesystem::path& directory);

}  // namespace pushrod
