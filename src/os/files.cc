// Reading files whole and replacing them atomically.
// All files that Pushrod writes go through here. Trees are removed in remove_tree.cc.
#include "os/files.hh"

#include <dirent.h>
#include <fcntl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <memory>

#include "base/error.hh"
#include "base/text.hh"
#include "os/clock.hh"
#include "os/retry.hh"

namespace pushrod {

namespace {

std::string doing_with(const char* verb, const fs::path& path) {
  return std::string(verb) + " " + quoted(path.native());
}

fs::path directory_of(const fs::path& path) {
  const fs::path parent = path.parent_path();
  return parent.empty() ? "." : parent;
}

// A name beside path that no other process uses. Its dot keeps a left-over out of s6's scan directory and of globs.
fs::path temporary_beside(const fs::path& path) {
  std::uint64_t random = 0;
  if (retry_interrupted([&] { return getrandom(&random, sizeof random, 0); }) != sizeof random) {
    throw_errno("get random bytes");
  }
  std::string name = ".new-";
  for (int digit = 0; digit < 16; ++digit, random >>= 4) name += "0123456789abcdef"[random & 15];
  return directory_of(path) / name;
}

void sync_directory(const fs::path& directory) {
  const UniqueFd fd = open_file(directory, O_RDONLY | O_DIRECTORY);
  // EINVAL: a file system that cannot sync a directory, and so has nothing to lose by it.
  if (retry_interrupted([&] { return fsync(fd.get()); }) != 0 && errno != EINVAL) {
    throw_errno(doing_with("sync directory", directory));
  }
}

// Removes the temporary unless it became what it was made for.
class Temporary {
 public:
  explicit Temporary(fs::path path) : path_(std::move(path)) {}
  Temporary(const Temporary&) = delete;
  Temporary& operator=(const Temporary&) = delete;
  ~Temporary() {
    if (!path_.empty()) unlink(path_.c_str());
  }
  const fs::path& path() const { return path_; }
  void rename_to(const fs::path& target) {
    if (rename(path_.c_str(), target.c_str()) != 0) throw_errno(doing_with("replace", target));
    path_.clear();
  }

 private:
  fs::path path_;
};

std::optional<struct stat> status_of(const fs::path& path, int flags) {
  struct stat status {};
  if (fstatat(AT_FDCWD, path.c_str(), &status, flags) == 0) return status;
  if (errno == ENOENT || errno == ENOTDIR) return std::nullopt;
  throw_errno(doing_with("look at", path));
}

}  // namespace

UniqueFd open_file(const fs::path& path, int flags, mode_t mode) {
  UniqueFd fd(retry_interrupted([&] { return open(path.c_str(), flags | O_CLOEXEC, mode); }));
  if (!fd) throw_errno(doing_with("open", path));
  return fd;
}

void write_all(int fd, std::string_view data, const std::string& doing) {
  while (!data.empty()) {
    const ssize_t written = retry_interrupted([&] { return write(fd, data.data(), data.size()); });
    if (written >= 0) {
      data.remove_prefix(static_cast<std::size_t>(written));
    } else if (errno == EAGAIN) {
      // sshd and its like hand us non-blocking pipes.
      wait_for(fd, POLLOUT, Deadline(Milliseconds::max()));
    } else {
      throw_errno(doing);
    }
  }
}

std::optional<std::string> read_file(const fs::path& path, std::size_t cap, bool follow) {
  // Non-blocking, so that opening a named pipe does not block; it makes no difference to a file.
  const int flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | (follow ? 0 : O_NOFOLLOW);
  const UniqueFd fd(retry_interrupted([&] { return open(path.c_str(), flags); }));
  if (!fd) {
    if (errno == ENOENT || errno == ENOTDIR) return std::nullopt;
    throw_errno(doing_with("open", path));
  }
  struct stat status {};
  if (fstat(fd.get(), &status) != 0) throw_errno(doing_with("look at", path));
  if (S_ISDIR(status.st_mode)) throw SystemError(doing_with("read", path), EISDIR);
  if (!S_ISREG(status.st_mode)) throw Error(doing_with("read", path) + ": not a plain file");

  const std::size_t limit = cap < std::string().max_size() ? cap + 1 : cap;
  // The size is only a first guess: files in /proc say 0, and a log may grow while we read.
  std::string content;
  std::size_t used = 0;
  while (true) {
    if (used == content.size()) {
      const std::size_t guess = used == 0 ? static_cast<std::size_t>(status.st_size) + 1 : used * 2;
      content.resize(std::min(std::max<std::size_t>(guess, 4096), limit));
    }
    const ssize_t got = retry_interrupted([&] { return read(fd.get(), content.data() + used, content.size() - used); });
    if (got < 0) throw_errno(doing_with("read", path));
    if (got == 0) break;
    used += static_cast<std::size_t>(got);
    if (used > cap) throw Error(doing_with("read", path) + ": longer than " + format_bytes(cap));
  }
  content.resize(used);
  return content;
}

void write_file(const fs::path& path, std::string_view content, mode_t mode, bool durable) {
  Temporary temporary(temporary_beside(path));
  const UniqueFd fd = open_file(temporary.path(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0600);
  if (fchmod(fd.get(), mode) != 0) throw_errno(doing_with("set the mode of", path));
  write_all(fd.get(), content, doing_with("write", path));
  if (durable && retry_interrupted([&] { return fsync(fd.get()); }) != 0) throw_errno(doing_with("sync", path));
  temporary.rename_to(path);
  if (durable) sync_directory(directory_of(path));
}

void make_directory(const fs::path& path, mode_t mode) {
  // The missing ones from the deepest up, then made from the top down.
  std::vector<fs::path> missing;
  fs::path ancestor = path.has_filename() ? path : path.parent_path();
  for (; !ancestor.empty(); ancestor = ancestor.parent_path()) {
    const auto status = status_of(ancestor, 0);
    if (status && !S_ISDIR(status->st_mode)) throw SystemError(doing_with("make directory", path), ENOTDIR);
    if (status) break;
    missing.push_back(ancestor);
  }
  std::reverse(missing.begin(), missing.end());
  for (const fs::path& directory : missing) {
    if (mkdir(directory.c_str(), mode) == 0) {
      if (chmod(directory.c_str(), mode) != 0) throw_errno(doing_with("set the mode of", directory));
    } else if (errno != EEXIST) {  // another process was faster
      throw_errno(doing_with("make directory", directory));
    }
  }
}

void rename_path(const fs::path& from, const fs::path& to) {
  if (rename(from.c_str(), to.c_str()) != 0) {
    throw_errno(doing_with("rename", from) + " to " + quoted(to.native()));
  }
  sync_directory(directory_of(to));
}

void replace_symlink(const fs::path& path, const fs::path& target) {
  Temporary temporary(temporary_beside(path));
  if (symlink(target.c_str(), temporary.path().c_str()) != 0) throw_errno(doing_with("make symlink", path));
  temporary.rename_to(path);
  sync_directory(directory_of(path));
}

bool remove_file(const fs::path& path) {
  if (unlink(path.c_str()) == 0) return true;
  if (errno == ENOENT || errno == ENOTDIR) return false;
  throw_errno(doing_with("remove", path));
}

std::vector<std::string> list_directory(const fs::path& path) {
  const std::unique_ptr<DIR, int (*)(DIR*)> directory(opendir(path.c_str()), closedir);
  if (!directory) {
    if (errno == ENOENT) return {};
    throw_errno(doing_with("list", path));
  }
  std::vector<std::string> names;
  errno = 0;
  while (const dirent* entry = readdir(directory.get())) {
    const std::string_view name = entry->d_name;
    if (name != "." && name != "..") names.emplace_back(name);
    errno = 0;
  }
  if (errno != 0) throw_errno(doing_with("list", path));
  std::sort(names.begin(), names.end());
  return names;
}

bool IsDirectory::operator()(const fs::path& path) const {
  const auto status = status_of(path, AT_SYMLINK_NOFOLLOW);
  return status && S_ISDIR(status->st_mode);
}

bool is_plain_file(const fs::path& path) {
  const auto status = status_of(path, AT_SYMLINK_NOFOLLOW);
  return status && S_ISREG(status->st_mode);
}

void flush_file_system(const fs::path& path) {
  const UniqueFd fd = open_file(path, O_RDONLY | O_DIRECTORY);
  if (syncfs(fd.get()) != 0) throw_errno("flush the file system of " + path.string());
}

std::uint64_t free_bytes(const fs::path& path) {
  struct statvfs status {};
  if (retry_interrupted([&] { return statvfs(path.c_str(), &status); }) != 0) {
    throw_errno(doing_with("ask for the free space of", path));
  }
  return std::uint64_t{status.f_bavail} * status.f_frsize;
}

}  // namespace pushrod
