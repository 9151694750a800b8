// Waiting for descriptors with a deadline.
// Under command, socket and files.
#include "os/retry.hh"

#include <algorithm>
#include <limits>

#include "base/error.hh"

namespace pushrod {

int poll_until(std::span<pollfd> entries, const Deadline& deadline) {
  while (true) {
    const Milliseconds left = std::min(deadline.left(), Milliseconds{std::numeric_limits<int>::max()});
    const int ready = poll(entries.data(), entries.size(), static_cast<int>(left.count()));
    if (ready > 0) return ready;
    if (ready < 0 && errno != EINTR) throw_errno("poll");
    if (deadline.passed()) return 0;
  }
}

bool wait_for(int fd, short events, const Deadline& deadline) {
  pollfd entry{fd, events, 0};
  return poll_until({&entry, 1}, deadline) > 0;
}

}  // namespace pushrod
