// Kernel locks on files (flock): gone with their holder, so never stale (I6).
// The file's content says who holds it, for people and for `cancel`; it is never what decides.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <functional>
#include <optional>
#include <string>

#include "os/unique_fd.hh"

namespace pushrod {

class FileLock {
 public:
  // Blocks until this process holds it. `interrupted` is asked every tenth of a second, and at once when a signal comes
  // whose handler was installed without SA_RESTART: the wait goes on when it returns false; absent when it returned
  // true. Uses SIGALRM and the real-time interval timer meanwhile, so only one thread of a process may wait in this
  // way.
  static std::optional<FileLock> acquire(const std::filesystem::path& path, const std::function<bool()>& interrupted);
  static FileLock acquire(const std::filesystem::path& path);
  // Several may hold it in this way at once, and none of them together with a holder in another way. Not to be
  // announced.
  static std::optional<FileLock> acquire_shared(const std::filesystem::path& path,
                                                const std::function<bool()>& interrupted);
  // Absent if another process, or another descriptor of this one, holds it. Waits up to 100 ms for a holder that has
  // not announced itself: it may be a process that only looks.
  static std::optional<FileLock> try_acquire(const std::filesystem::path& path);

  FileLock(FileLock&&) noexcept = default;
  FileLock& operator=(FileLock&& other) noexcept;
  // Removes the announcement. The lock ends with the last copy of the descriptor: a child that inherited it keeps it.
  ~FileLock();

  // Writes "<pid> <what>" and a newline into the file.
  void announce(const std::string& what) const;
  int fd() const noexcept { return fd_.get(); }

 private:
  explicit FileLock(UniqueFd fd) : fd_(std::move(fd)) {}
  UniqueFd fd_;
};

struct LockHolder {
  pid_t pid = 0;
  std::string what;
};
// The announced process that holds the lock now; absent when it is free (or its holder has not announced itself yet).
std::optional<LockHolder> lock_holder(const std::filesystem::path& path);

// The announced holder as a pidfd, which becomes readable when that process has ended. It was opened before the lock
// was seen held, so it is never that of a reused pid. Empty when the lock is free (or its holder has not announced
// itself yet).
UniqueFd holder_process(const std::filesystem::path& path);

// Sends the signal to the announced holder. False when there is none.
bool signal_holder(const std::filesystem::path& path, int signal);

}  // namespace pushrod
