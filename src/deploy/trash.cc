// Directories that are out of use, on their way to deletion.
#include "deploy/trash.hh"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>

#include "base/error.hh"
#include "os/clock.hh"
#include "os/file_lock.hh"
#include "os/files.hh"

namespace pushrod {

void discard(const Layout& layout, const std::filesystem::path& directory) {
  make_directory(layout.trash());
  for (unsigned attempt = 0;; ++attempt) {
    const auto grave = layout.trash() / fmt::format("{}.{}.{}", to_epoch_milliseconds(now()), getpid(), attempt);
    if (std::filesystem::symlink_status(grave).type() != std::filesystem::file_type::not_found) continue;
    try {
      rename_path(directory, grave);
    } catch (const SystemError& error) {
      if (error.code() != EXDEV) throw;
      remove_tree(directory);
    }
    return;
  }
}

void empty_trash(const Layout& layout) {
  const auto lock = FileLock::acquire(layout.trash_lock());
  for (const auto& entry : list_directory(layout.trash())) remove_tree(layout.trash() / entry);
}

}  // namespace pushrod
