// Directories below one whose content someone else controls (an app's checkout): no symlink is followed on the way.
#pragma once

#include <filesystem>
#include <string>

#include "os/unique_fd.hh"

namespace pushrod {

// The directory at this relative path. Throws SystemError (ELOOP or ENOTDIR for a symlink, ENOENT, …), naming the path.
UniqueFd open_directory_beneath(const std::filesystem::path& root, const std::filesystem::path& relative);
// The same; makes what is missing, with mode 0755.
UniqueFd make_directory_beneath(const std::filesystem::path& root, const std::filesystem::path& relative);
// Renames a directory to this relative path. A directory that is there and not empty lies at `from` then.
void move_beneath(const std::filesystem::path& from, const std::filesystem::path& root,
                  const std::filesystem::path& relative);

}  // namespace pushrod
