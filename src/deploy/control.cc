// Cancelling a deployment, and waking the daemon.
#include "deploy/control.hh"

#include <poll.h>

#include <csignal>

#include "base/error.hh"
#include "os/file_lock.hh"
#include "os/socket.hh"

namespace pushrod {

bool request_cancel(const Platform& platform, std::int64_t group) {
  return signal_holder(platform.layout.group_lock(group), SIGTERM);
}

bool is_cancelled(int cancel_fd) {
  pollfd ready{cancel_fd, POLLIN, 0};
  return cancel_fd >= 0 && poll(&ready, 1, 0) > 0;
}

void check_cancelled(int cancel_fd) {
  if (is_cancelled(cancel_fd)) throw Cancelled();
}

bool wake_daemon(const Platform& platform) { return send_datagram(platform.layout.serve_socket(), "look"); }

}  // namespace pushrod
