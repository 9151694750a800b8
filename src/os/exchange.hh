// Two names of a directory tree that change places at once.
#pragma once

#include <filesystem>

namespace pushrod {

// renameat2(RENAME_EXCHANGE): each path names what the other named, and there is no moment in between. Both must be
// there, in one directory, which is flushed. False, and nothing has changed, if the file system cannot do that. Throws
// SystemError for anything else.
bool exchange_paths(const std::filesystem::path& one, const std::filesystem::path& other);

}  // namespace pushrod
