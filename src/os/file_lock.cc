// flock(2) with an announcement for people.
// Deployments, builds and the daemon exclude each other through these.
#include "os/file_lock.hh"

#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#include <cerrno>
#include <limits>

#include "base/error.hh"
#include "base/text.hh"
#include "os/files.hh"
#include "os/pidfd.hh"
#include "os/retry.hh"

namespace pushrod {

namespace {

std::string lock_purpose(const std::filesystem::path& path) { return "lock " + quoted(path.native()); }

UniqueFd open_lock_file(const std::filesystem::path& path) {
  constexpr int kFlags = O_RDWR | O_CREAT | O_NOFOLLOW;
  try {
    return open_file(path, kFlags);
  } catch (const SystemError& error) {
    if (error.code() != ENOENT) throw;
  }
  make_directory(path.parent_path());
  return open_file(path, kFlags);
}

// A lock on a file that was removed or replaced meanwhile excludes no other process.
bool still_names(const std::filesystem::path& path, int fd) {
  struct stat opened {};
  struct stat named {};
  if (fstat(fd, &opened) != 0) throw_errno(lock_purpose(path));
  if (lstat(path.c_str(), &named) != 0) {
    if (errno == ENOENT) return false;
    throw_errno(lock_purpose(path));
  }
  return opened.st_dev == named.st_dev && opened.st_ino == named.st_ino;
}

// The announcement of a killed holder does not describe the new one.
void forget_announcement(const std::filesystem::path& path, int fd) {
  if (retry_interrupted([&] { return ftruncate(fd, 0); }) != 0) throw_errno(lock_purpose(path));
}

std::string announcement(int fd) {
  std::string text(512, '\0');
  const ssize_t length = retry_interrupted([&] { return pread(fd, text.data(), text.size(), 0); });
  text.resize(length > 0 ? static_cast<std::size_t>(length) : 0);
  return text;
}

std::optional<LockHolder> parse_announcement(std::string_view text) {
  // Without its newline it is still being written.
  if (!text.ends_with('\n')) return std::nullopt;
  text.remove_suffix(1);
  const std::size_t space = text.find(' ');
  const auto pid = parse_unsigned(text.substr(0, space));
  if (!pid || *pid == 0 || *pid > std::numeric_limits<pid_t>::max()) return std::nullopt;
  const std::string_view what = space == std::string_view::npos ? std::string_view{} : text.substr(space + 1);
  return LockHolder{static_cast<pid_t>(*pid), std::string(what)};
}

bool is_alive(pid_t pid) { return kill(pid, 0) == 0 || errno != ESRCH; }

// Absent when there is no such file, and so no holder.
UniqueFd open_for_look(const std::filesystem::path& path) {
  UniqueFd fd(retry_interrupted([&] { return open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC); }));
  if (!fd && errno != ENOENT && errno != ENOTDIR) throw_errno(lock_purpose(path));
  return fd;
}

// Tries the lock and gives it back at once. Shared, so that two lookers do not take each other for a holder.
bool is_held(const std::filesystem::path& path, int fd) {
  if (retry_interrupted([&] { return flock(fd, LOCK_SH | LOCK_NB); }) == 0) {
    flock(fd, LOCK_UN);
    return false;
  }
  if (errno != EWOULDBLOCK) throw_errno(lock_purpose(path));
  return true;
}

// A signal that comes between a look at what it changed and the call that it was to interrupt would be lost. So as long
// as this lives, another one comes every tenth of a second, whose handler does nothing but interrupt.
class InterruptingTicks {
 public:
  InterruptingTicks() {
    struct sigaction tick {};
    tick.sa_handler = [](int) {};
    sigemptyset(&tick.sa_mask);
    sigaction(SIGALRM, &tick, &action_before_);
    const itimerval every{{0, 100'000}, {0, 100'000}};
    setitimer(ITIMER_REAL, &every, &timer_before_);
  }
  InterruptingTicks(const InterruptingTicks&) = delete;
  InterruptingTicks& operator=(const InterruptingTicks&) = delete;
  ~InterruptingTicks() {
    setitimer(ITIMER_REAL, &timer_before_, nullptr);
    sigaction(SIGALRM, &action_before_, nullptr);
  }

 private:
  struct sigaction action_before_ {};
  itimerval timer_before_{};
};

}  // namespace

FileLock& FileLock::operator=(FileLock&& other) noexcept {
  std::swap(fd_, other.fd_);
  return *this;
}

FileLock::~FileLock() {
  // After a failure the announcement stays; it does not count, since the lock is free.
  if (fd_) static_cast<void>(retry_interrupted([&] { return ftruncate(fd_.get(), 0); }));
}

namespace {

// Empty when it was interrupted.
UniqueFd open_locked(const std::filesystem::path& path, int operation, const std::function<bool()>& interrupted) {
  while (true) {
    UniqueFd fd = open_lock_file(path);
    std::optional<InterruptingTicks> ticks;
    if (interrupted) ticks.emplace();
    while (flock(fd.get(), operation) != 0) {
      if (errno != EINTR) throw_errno(lock_purpose(path));
      if (interrupted && interrupted()) return {};
    }
    if (still_names(path, fd.get())) return fd;
  }
}

}  // namespace

std::optional<FileLock> FileLock::acquire(const std::filesystem::path& path, const std::function<bool()>& interrupted) {
  UniqueFd fd = open_locked(path, LOCK_EX, interrupted);
  if (!fd) return std::nullopt;
  forget_announcement(path, fd.get());
  return FileLock(std::move(fd));
}

std::optional<FileLock> FileLock::acquire_shared(const std::filesystem::path& path,
                                                 const std::function<bool()>& interrupted) {
  UniqueFd fd = open_locked(path, LOCK_SH, interrupted);
  if (!fd) return std::nullopt;
  return FileLock(std::move(fd));
}

FileLock FileLock::acquire(const std::filesystem::path& path) { return std::move(*acquire(path, nullptr)); }

std::optional<FileLock> FileLock::try_acquire(const std::filesystem::path& path) {
  // Someone who only looks (lock_holder) or a child between fork and exec may have it for a moment. A holder that
  // announced itself and lives settles the matter at once; otherwise look again, for at most 100 ms.
  constexpr Milliseconds kPause{4};
  int attempts_left = 25;
  while (true) {
    UniqueFd fd = open_lock_file(path);
    if (retry_interrupted([&] { return flock(fd.get(), LOCK_EX | LOCK_NB); }) == 0) {
      if (!still_names(path, fd.get())) continue;
      forget_announcement(path, fd.get());
      return FileLock(std::move(fd));
    }
    if (errno != EWOULDBLOCK) throw_errno(lock_purpose(path));
    const auto holder = parse_announcement(announcement(fd.get()));
    if ((holder && is_alive(holder->pid)) || attempts_left-- == 0) return std::nullopt;
    poll_until({}, Deadline(kPause));
  }
}

void FileLock::announce(const std::string& what) const {
  const std::string text = std::to_string(getpid()) + " " + escaped(what, 400) + "\n";
  const auto write_text = [&] { return pwrite(fd_.get(), text.data(), text.size(), 0); };
  if (retry_interrupted([&] { return ftruncate(fd_.get(), 0); }) != 0 || retry_interrupted(write_text) < 0) {
    throw_errno("announce who holds a lock");
  }
}

std::optional<LockHolder> lock_holder(const std::filesystem::path& path) {
  const UniqueFd fd = open_for_look(path);
  if (!fd || !is_held(path, fd.get())) return std::nullopt;
  return parse_announcement(announcement(fd.get()));
}

UniqueFd holder_process(const std::filesystem::path& path) {
  const UniqueFd fd = open_for_look(path);
  if (!fd) return {};
  const std::string before = announcement(fd.get());
  const auto holder = parse_announcement(before);
  if (!holder) return {};
  UniqueFd process(pidfd_open(holder->pid, 0));
  if (!process) {
    if (errno == ESRCH) return {};
    throw_errno("open process " + std::to_string(holder->pid));
  }
  // Held, and by the one who announced itself before we had hold of its process.
  if (!is_held(path, fd.get()) || announcement(fd.get()) != before) return {};
  return process;
}

bool signal_holder(const std::filesystem::path& path, int signal) {
  const UniqueFd process = holder_process(path);
  if (!process) return false;
  if (pidfd_send_signal(process.get(), signal, nullptr, 0) == 0) return true;
  if (errno == ESRCH) return false;
  throw_errno("signal the process that holds " + path.native());
}

}  // namespace pushrod
