// Waits for, and signals, supervisors of services that end.
// Used by supervisor.cc and tree.cc.
#include "supervise/process_end.hh"

#include <poll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

#include "base/error.hh"

namespace pushrod {

ProcessEnd::ProcessEnd(pid_t pid) : pidfd_(static_cast<int>(syscall(SYS_pidfd_open, pid, 0))) {
  if (!pidfd_ && errno != ESRCH) throw_errno("watch a supervisor");
}

void ProcessEnd::signal(int number) const {
  if (pidfd_ && syscall(SYS_pidfd_send_signal, pidfd_.get(), number, nullptr, 0) != 0 && errno != ESRCH) {
    throw_errno("signal a supervisor");
  }
}

bool ProcessEnd::wait(const Deadline& deadline) const {
  if (!pidfd_) return true;
  pollfd entry{pidfd_.get(), POLLIN, 0};
  while (true) {
    const int ready = poll(&entry, 1, static_cast<int>(deadline.left().count()));
    if (ready >= 0) return ready > 0;
    if (errno != EINTR) throw_errno("wait for a supervisor");
  }
}

}  // namespace pushrod
