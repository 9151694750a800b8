// Whether a path that an operator has written down leads where it says, also if other users of this machine try to
// redirect it.
#pragma once

#include <filesystem>
#include <string>

namespace pushrod {

// Why it does not; empty: it is a directory, no part of the path is a symlink, and no other user can put something else
// in its place. Each directory above it belongs to root or this user, and is writable by them alone or sticky (sshd's
// StrictModes asks for the same). `path` is absolute, without "." and "..".
std::string why_not_trusted(const std::filesystem::path& path);

}  // namespace pushrod
