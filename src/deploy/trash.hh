// Directories that are out of use, on their way to deletion.
#pragma once

#include <filesystem>

#include "model/layout.hh"

namespace pushrod {

// Moves a directory out of the way at once; empty_trash() deletes it later, without any app's lock. One on another file
// system cannot be moved there, and is deleted on the spot.
void discard(const Layout& layout, const std::filesystem::path& directory);
// Deletes what lies in the trash. Waits for another process that does so.
void empty_trash(const Layout& layout);

}  // namespace pushrod
