// SQLite's own access to files, but for the way in which journals are opened.
// connection.cc opens the database with it.
#include "store/journal_vfs.hh"

#include <fcntl.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <mutex>
#include <set>
#include <utility>

#include "base/error.hh"
#include "os/unique_fd.hh"

namespace pushrod {

namespace fs = std::filesystem;

namespace {

constexpr const char* kName = "pushrod";

sqlite3_vfs* unix_vfs = nullptr;

bool flush_directory_of(const fs::path& file) {
  const UniqueFd directory{open(file.parent_path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  return directory && fsync(directory.get()) == 0;
}

// The journals whose directory this process has flushed since it saw them.
class FlushedJournals {
 public:
  // Flushes the directory unless it has done so for this file. False if it could not, and for a file that is not there.
  bool ensure(const fs::path& journal) {
    struct stat status {};
    if (lstat(journal.c_str(), &status) != 0) return false;
    const std::pair file(status.st_dev, status.st_ino);
    const std::lock_guard lock(mutex_);
    if (files_.contains(file)) return true;
    if (!flush_directory_of(journal)) return false;
    files_.insert(file);
    return true;
  }

 private:
  std::mutex mutex_;
  std::set<std::pair<dev_t, ino_t>> files_;
};

// SQLite takes a journal that it may create for a new one.
int open_file_of_database(sqlite3_vfs*, const char* path, sqlite3_file* file, int flags, int* flags_out) {
  static FlushedJournals flushed;
  constexpr int kNewJournal = SQLITE_OPEN_MAIN_JOURNAL | SQLITE_OPEN_CREATE;
  if ((flags & kNewJournal) == kNewJournal && path != nullptr && flushed.ensure(path)) {
    const int result = unix_vfs->xOpen(unix_vfs, path, file, flags & ~SQLITE_OPEN_CREATE, flags_out);
    if (result == SQLITE_OK) return result;  // else it has been deleted meanwhile
  }
  return unix_vfs->xOpen(unix_vfs, path, file, flags, flags_out);
}

}  // namespace

const char* journal_vfs() {
  static const bool registered = [] {
    unix_vfs = sqlite3_vfs_find(nullptr);
    if (unix_vfs == nullptr) return false;
    static sqlite3_vfs ours = *unix_vfs;
    ours.zName = kName;
    ours.pNext = nullptr;
    ours.xOpen = open_file_of_database;
    return sqlite3_vfs_register(&ours, /*makeDflt=*/0) == SQLITE_OK;
  }();
  if (!registered) throw Error("SQLite has no access to files");
  return kName;
}

}  // namespace pushrod
