// System calls that a signal interrupted are made again.
// Used inside os/ only.
#pragma once

#include <poll.h>

#include <cerrno>
#include <span>

#include "os/clock.hh"

namespace pushrod {

// call() until it does anything but fail with EINTR; its result, and its errno.
template <typename Call>
auto retry_interrupted(const Call& call) {
  while (true) {
    const auto result = call();
    if (result != -1 || errno != EINTR) return result;
  }
}

// poll(2) until an event or the deadline; how many entries have events (0: the deadline passed). Throws SystemError.
int poll_until(std::span<pollfd> entries, const Deadline& deadline);
// The same for one descriptor.
bool wait_for(int fd, short events, const Deadline& deadline);

}  // namespace pushrod
