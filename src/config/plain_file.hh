// Reads a file that a client may have written: only a regular file, only up to a cap, and never blocking.
// Used inside config/ only.
#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>

namespace pushrod {

enum class Symlinks { Refuse, Follow };

// The whole file; absent if there is none. A symlink (unless followed), a directory (which a submodule leaves), a FIFO,
// a device, a socket or a file longer than cap is a UserError that calls the file by its shown name.
std::optional<std::string> read_plain_file(const std::filesystem::path& path, const std::string& shown, std::size_t cap,
                                           Symlinks symlinks);

}  // namespace pushrod
