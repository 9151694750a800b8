// The daemon's loop: a pass of the reconciler whenever somebody calls, or time is up.
// Floor 7.
#include "serve/serve.hh"

#include <poll.h>
#include <sys/socket.h>

#include "base/error.hh"
#include "deploy/reconcile.hh"
#include "os/file_lock.hh"
#include "os/socket.hh"

namespace pushrod {

void serve(const Platform& platform, int stop_fd) {
  const auto lock = FileLock::try_acquire(platform.layout.serve_lock());
  if (!lock) throw UserError("another daemon serves this root already", "`pushrod up` starts the one that is needed");
  lock->announce("serve");
  const auto calls = bind_datagram(platform.layout.serve_socket());
  Reconciler reconciler(platform);
  while (true) {
    const auto pause = reconciler.pass();
    pollfd events[] = {{calls.get(), POLLIN, 0}, {stop_fd, POLLIN, 0}};
    if (poll(events, 2, static_cast<int>(pause.count())) < 0 && errno != EINTR) throw_errno("waiting for a call");
    if (events[1].revents != 0) return;
    // Calls that came in together are one.
    char word[16];
    while (recv(calls.get(), word, sizeof word, MSG_DONTWAIT) >= 0) {
    }
  }
}

}  // namespace pushrod
