// Removes whole directory trees that an app or a build has filled.
// Retires checkouts, failed builds and layers. What an app left behind may be as deep, wide and read-only as
// it likes: one directory is emptied at a time, and what lies deeper is first moved up into the top directory. So
// neither descriptors nor stack nor path length grow with the depth.
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <memory>
#include <string>
#include <vector>

#include "base/error.hh"
#include "base/text.hh"
#include "os/files.hh"
#include "os/retry.hh"

namespace pushrod {

namespace {

using Directory = std::unique_ptr<DIR, int (*)(DIR*)>;

class TreeRemoval {
 public:
  TreeRemoval(const fs::path& path, int parent, const std::string& name)
      : doing_("remove " + quoted(path.native())), top_(open_directory(parent, name)) {
    device_ = status_of(dirfd(top_.get())).st_dev;
  }

  void empty() {
    // Directories that were moved up may or may not be seen by the listing that was under way: list until none is left.
    while (true) {
      const std::vector<std::string> directories = remove_files_of(top_.get());
      if (directories.empty()) return;
      for (const std::string& name : directories) remove_directory(name);
    }
  }

 private:
  [[noreturn]] void fail() const { throw_errno(doing_); }

  struct stat status_of(int fd) const {
    struct stat status {};
    if (fstat(fd, &status) != 0) fail();
    return status;
  }

  UniqueFd open_at(int parent, const std::string& name, int flags) const {
    constexpr int kFlags = O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
    UniqueFd fd(retry_interrupted([&] { return openat(parent, name.c_str(), kFlags | flags); }));
    if (!fd) fail();
    return fd;
  }

  // A directory's place, never through a symlink. Its owner may have taken away his own rights to it.
  UniqueFd make_accessible(int parent, const std::string& name) const {
    UniqueFd place = open_at(parent, name, O_PATH);
    if ((status_of(place.get()).st_mode & 0700) != 0700) {
      // Through /proc, since an O_PATH descriptor cannot be given to fchmod, and chmod by name follows symlinks.
      if (chmod(("/proc/self/fd/" + std::to_string(place.get())).c_str(), 0700) != 0) fail();
    }
    return place;
  }

  Directory open_directory(int parent, const std::string& name) const {
    const UniqueFd place = make_accessible(parent, name);
    UniqueFd fd = open_at(place.get(), ".", O_RDONLY);
    Directory directory(fdopendir(fd.get()), closedir);
    if (!directory) fail();
    static_cast<void>(fd.release());
    return directory;
  }

  // Removes everything but directories; returns their names.
  std::vector<std::string> remove_files_of(DIR* directory) const {
    std::vector<std::string> directories;
    rewinddir(directory);
    errno = 0;
    while (const dirent* entry = readdir(directory)) {
      const std::string name = entry->d_name;
      if (name != "." && name != "..") {
        if (entry->d_type == DT_DIR || !removed(dirfd(directory), name, 0)) directories.push_back(name);
      }
      errno = 0;
    }
    if (errno != 0) fail();
    return directories;
  }

  // False when it is of another kind, or not empty.
  bool removed(int parent, const std::string& name, int flags) const {
    if (unlinkat(parent, name.c_str(), flags) == 0 || errno == ENOENT) return true;
    if (errno == EISDIR || errno == ENOTEMPTY || errno == EEXIST) return false;
    fail();
  }

  // Another process may be removing the same tree: what it has removed needs no more work.
  void remove_directory(const std::string& name) {
    try {
      empty_and_remove(name);
    } catch (const SystemError& error) {
      if (error.code() != ENOENT) throw;
    }
  }

  void empty_and_remove(const std::string& name) {
    const int top = dirfd(top_.get());
    if (removed(top, name, AT_REMOVEDIR)) return;
    const Directory directory = open_directory(top, name);
    const int fd = dirfd(directory.get());
    if (status_of(fd).st_dev != device_) throw SystemError(doing_ + ": another file system is mounted in it", EXDEV);
    for (const std::string& child : remove_files_of(directory.get())) {
      if (!removed(fd, child, AT_REMOVEDIR)) move_up(fd, child);
    }
    // If a process still writes into it, there is another round.
    static_cast<void>(removed(top, name, AT_REMOVEDIR));
  }

  void move_up(int parent, const std::string& name) {
    // A directory must be writable to be given another parent.
    static_cast<void>(make_accessible(parent, name));
    while (true) {
      const std::string moved = ".removing-" + std::to_string(++moved_count_);
      if (renameat(parent, name.c_str(), dirfd(top_.get()), moved.c_str()) == 0) return;
      if (errno != ENOTEMPTY && errno != EEXIST && errno != ENOTDIR) fail();
    }
  }

  std::string doing_;
  Directory top_;
  dev_t device_ = 0;
  std::uint64_t moved_count_ = 0;
};

}  // namespace

void remove_tree(const fs::path& path) {
  const fs::path trimmed = path.has_filename() ? path : path.parent_path();
  const std::string name = trimmed.filename().native();
  if (name.empty() || name == "." || name == "..") {
    throw Error("remove " + quoted(path.native()) + ": this names no entry of a directory");
  }
  const fs::path parent_path = trimmed.has_parent_path() ? trimmed.parent_path() : fs::path(".");
  const UniqueFd parent(retry_interrupted([&] { return open(parent_path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC); }));
  if (!parent) {
    if (errno == ENOENT || errno == ENOTDIR) return;
    throw_errno("open " + quoted(parent_path.native()));
  }
  if (unlinkat(parent.get(), name.c_str(), 0) == 0 || errno == ENOENT) return;
  if (errno != EISDIR) throw_errno("remove " + quoted(path.native()));

  try {
    TreeRemoval(path, parent.get(), name).empty();
  } catch (const SystemError& error) {
    if (error.code() != ENOENT) throw;
  }
  if (unlinkat(parent.get(), name.c_str(), AT_REMOVEDIR) != 0 && errno != ENOENT) {
    throw_errno("remove " + quoted(path.native()));
  }
}

}  // namespace pushrod
