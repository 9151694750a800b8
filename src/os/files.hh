// Files and directories as a crash leaves them: whole or not there.
// Every function throws SystemError naming the path unless it says otherwise.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "os/unique_fd.hh"

namespace pushrod {

namespace fs = std::filesystem;

// The whole file, absent if there is none. Throws Error when it is longer than cap. Follows no symlink at the last
// component unless follow is set. Throws Error for what is neither a file nor absent.
std::optional<std::string> read_file(const fs::path& path, std::size_t cap = std::size_t{16} << 20, bool follow = true);

// Replaces the file: temporary beside it, fsync, rename, fsync of the directory. After a crash the old or the new
// content is there, whole. `durable = false` leaves the two fsyncs out, for files under run/ that are rendered anew
// after a reboot: still atomic for readers, not safe against power loss. A crash may also leave a ".new-…" beside it.
void write_file(const fs::path& path, std::string_view content, mode_t mode = 0600, bool durable = true);

// mkdir -p with this mode for what is created (default 0700, the umask does not matter).
void make_directory(const fs::path& path, mode_t mode = 0700);
// rename(2), then fsync of the destination's directory.
void rename_path(const fs::path& from, const fs::path& to);
// A symlink at path that points to target, replaced atomically.
void replace_symlink(const fs::path& path, const fs::path& target);
// Removes the tree, if it is there, also while others remove or fill it (what appears last may stay), without following
// symlinks and without recursion on the stack; makes directories writable on the way, since their owner may have left
// them read-only.
void remove_tree(const fs::path& path);
// unlink; false when there was nothing.
bool remove_file(const fs::path& path);
// Names in a directory, sorted, without "." and ".."; empty when the directory is not there.
std::vector<std::string> list_directory(const fs::path& path);
// Not through a symlink. An object, so that an unqualified call does not also find std::filesystem's function of this
// name, which follows symlinks.
struct IsDirectory {
  bool operator()(const fs::path& path) const;
};
inline constexpr IsDirectory is_directory;  // NOLINT(readability-identifier-naming): called like a function
bool is_plain_file(const fs::path& path);   // not through a symlink

UniqueFd open_file(const fs::path& path, int flags, mode_t mode = 0600);  // adds O_CLOEXEC
void write_all(int fd, std::string_view data, const std::string& doing);

// Flushes everything that was written to the file system of path (syncfs): what git or a build has written there
// survives a power cut from now on.
void flush_file_system(const fs::path& path);

// Free bytes that an ordinary user may still use on the file system of path.
std::uint64_t free_bytes(const fs::path& path);

}  // namespace pushrod
