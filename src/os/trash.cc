// Moves what is out of use to where it is deleted later.
#include "os/trash.hh"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>

#include "base/error.hh"
#include "os/clock.hh"
#include "os/files.hh"

namespace pushrod {

void move_to_trash(const fs::path& trash, const fs::path& directory) {
  make_directory(trash);
  for (unsigned attempt = 0;; ++attempt) {
    const auto grave = trash / fmt::format("{}.{}.{}", to_epoch_milliseconds(now()), getpid(), attempt);
    if (fs::symlink_status(grave).type() != fs::file_type::not_found) continue;
    try {
      rename_path(directory, grave);
    } catch (const SystemError& error) {
      if (error.code() != EXDEV) throw;
      remove_tree(directory);
    }
    return;
  }
}

}  // namespace pushrod
