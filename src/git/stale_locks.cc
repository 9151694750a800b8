// Tells a lock that a git holds from one that was left over, by its age and by its identity.
#include "git/stale_locks.hh"

#include <fmt/format.h>
#include <sys/stat.h>

#include <cerrno>
#include <chrono>

#include "base/error.hh"
#include "base/text.hh"
#include "git/git_command.hh"
#include "os/clock.hh"
#include "os/files.hh"

namespace pushrod {

namespace {

constexpr Milliseconds kStaleAfter{3'000};

struct LockFile {
  fs::path path;
  ino_t inode;
  timespec changed;

  static std::optional<LockFile> at(const fs::path& path) {
    struct stat status {};
    if (lstat(path.c_str(), &status) != 0) {
      if (errno == ENOENT || errno == ENOTDIR) return std::nullopt;
      throw_errno(fmt::format("look at {}", quoted(path.string(), 1024)));
    }
    return LockFile{path, status.st_ino, status.st_mtim};
  }
  bool is_same_as(const LockFile& other) const {
    return inode == other.inode && changed.tv_sec == other.changed.tv_sec && changed.tv_nsec == other.changed.tv_nsec;
  }
  bool is_old() const { return now() - std::chrono::system_clock::from_time_t(changed.tv_sec) > kStaleAfter; }
};

std::vector<LockFile> locks_at(const std::vector<fs::path>& paths) {
  std::vector<LockFile> found;
  for (const fs::path& path : paths) {
    if (auto lock = LockFile::at(path)) found.push_back(std::move(*lock));
  }
  return found;
}

}  // namespace

bool any_is_there(const std::vector<fs::path>& locks) { return !locks_at(locks).empty(); }

std::vector<std::string> with_patience(std::vector<std::string> arguments) {
  const std::string patience = std::to_string(kStaleAfter.count());
  arguments.insert(arguments.begin(),
                   {"-c", "core.filesRefLockTimeout=" + patience, "-c", "core.packedRefsTimeout=" + patience});
  return arguments;
}

CommandResult run_despite_stale_locks(const Repository& repository, std::vector<std::string> arguments,
                                      const std::vector<fs::path>& paths, const std::string& input,
                                      Milliseconds deadline) {
  Command command = git_command(repository, with_patience(std::move(arguments)));
  command.input = input;
  command.deadline = deadline;
  for (const LockFile& lock : locks_at(paths)) {
    if (lock.is_old()) remove_file(lock.path);
  }
  const std::vector<LockFile> before = locks_at(paths);
  CommandResult result = run(command);
  if (result.ok() || result.elapsed < kStaleAfter) return result;

  bool removed = false;
  for (const LockFile& lock : before) {
    const auto still_there = LockFile::at(lock.path);
    if (still_there && still_there->is_same_as(lock)) removed = remove_file(lock.path) || removed;
  }
  return removed ? run(command) : result;
}

fs::path lock_of(const fs::path& file) { return file.string() + ".lock"; }

}  // namespace pushrod
