// Walks a tree with one descriptor: down by name, and up by "..", which must lead to where it came from.
#include "os/disk_use.hh"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "os/retry.hh"
#include "os/unique_fd.hh"

namespace pushrod {

namespace {

// A directory between its opening and its leaving.
struct Level {
  dev_t device = 0;
  ino_t inode = 0;
  std::optional<mode_t> mode_before;       // when it was made accessible for the look
  std::vector<std::string> to_visit = {};  // directories in it
};

class Measurement {
 public:
  explicit Measurement(const DiskUseLimits& limits) : limits_(limits), deadline_(limits.time) {}

  DiskUse of(const char* path) {
    if (!enter(AT_FDCWD, path)) {
      if (errno == ENOENT || errno == ENOTDIR) size_.complete = true;
      return size_;
    }
    while (!levels_.empty()) {
      auto& names = levels_.back().to_visit;
      if (names.empty() || is_over()) {
        if (!leave()) break;
        continue;
      }
      const std::string name = std::move(names.back());
      names.pop_back();
      enter(at_.get(), name.c_str());
    }
    // Only after a move of the tree under our feet: what we opened and cannot get back to stays open to its owner.
    return size_;
  }

 private:
  bool is_over() {
    if (size_.entries < limits_.entries && !deadline_.passed()) return false;
    size_.complete = false;
    return true;
  }

  bool incomplete() {
    size_.complete = false;
    return false;
  }

  static bool change_mode(int place, mode_t mode) {
    // An O_PATH descriptor cannot be given to fchmod.
    return chmod(("/proc/self/fd/" + std::to_string(place)).c_str(), mode) == 0;
  }

  // False when it cannot be looked at.
  bool enter(int parent, const char* name) {
    constexpr int kFlags = O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
    const UniqueFd place(retry_interrupted([&] { return openat(parent, name, kFlags | O_PATH); }));
    struct stat status {};
    if (!place || fstat(place.get(), &status) != 0) return incomplete();
    if (!levels_.empty() && status.st_dev != levels_.front().device) return false;
    Level level{status.st_dev, status.st_ino, std::nullopt};
    if ((status.st_mode & 0500) != 0500 && change_mode(place.get(), (status.st_mode & 07777) | 0500)) {
      level.mode_before = status.st_mode & 07777;
    }
    UniqueFd opened(retry_interrupted([&] { return openat(place.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC); }));
    if (!opened) {
      if (level.mode_before) change_mode(place.get(), *level.mode_before);
      return incomplete();
    }
    size_.bytes += static_cast<std::uint64_t>(status.st_blocks) * 512;
    at_ = std::move(opened);
    levels_.push_back(std::move(level));
    list();
    return true;
  }

  void list() {
    UniqueFd copy(openat(at_.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    const std::unique_ptr<DIR, int (*)(DIR*)> directory(copy ? fdopendir(copy.get()) : nullptr, closedir);
    if (!directory) {
      size_.complete = false;
      return;
    }
    static_cast<void>(copy.release());
    while (const dirent* entry = readdir(directory.get())) {
      const std::string name = entry->d_name;
      if (name == "." || name == "..") continue;
      if (is_over()) return;
      ++size_.entries;
      struct stat status {};
      if (fstatat(at_.get(), name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) continue;
      if (S_ISDIR(status.st_mode)) {
        levels_.back().to_visit.push_back(name);
      } else {
        size_.bytes += static_cast<std::uint64_t>(status.st_blocks) * 512;
      }
    }
  }

  // Goes up. False at the top, or when the tree was moved meanwhile.
  bool leave() {
    const Level left = std::move(levels_.back());
    levels_.pop_back();
    UniqueFd up;
    if (!levels_.empty()) up = UniqueFd(openat(at_.get(), "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (left.mode_before) fchmod(at_.get(), *left.mode_before);
    at_ = std::move(up);
    if (levels_.empty()) return false;
    struct stat status {};
    if (!at_ || fstat(at_.get(), &status) != 0 || status.st_dev != levels_.back().device ||
        status.st_ino != levels_.back().inode) {
      return incomplete();
    }
    return true;
  }

  const DiskUseLimits& limits_;
  Deadline deadline_;
  DiskUse size_;
  UniqueFd at_;  // the last of the levels
  std::vector<Level> levels_;
};

}  // namespace

DiskUse measure_disk_use(const std::filesystem::path& path, const DiskUseLimits& limits) {
  return Measurement(limits).of(path.c_str());
}

}  // namespace pushrod
