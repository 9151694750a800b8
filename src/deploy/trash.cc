// Directories that are out of use, on their way to deletion.
#include "deploy/trash.hh"

#include "os/file_lock.hh"
#include "os/files.hh"
#include "os/trash.hh"

namespace pushrod {

void discard(const Layout& layout, const std::filesystem::path& directory) { move_to_trash(layout.trash(), directory); }

void empty_trash(const Layout& layout) {
  const auto lock = FileLock::acquire(layout.trash_lock());
  for (const auto& entry : list_directory(layout.trash())) remove_tree(layout.trash() / entry);
}

}  // namespace pushrod
