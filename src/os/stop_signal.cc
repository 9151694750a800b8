// Stop signals as a descriptor, and outliving a client.
#include "os/stop_signal.hh"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include <cerrno>

namespace pushrod {

namespace {
int write_end = -1;

void on_stop_signal(int /*signal*/) {
  const int saved = errno;
  const char byte = 1;
  // A full pipe is readable already, which is all that matters.
  [[maybe_unused]] const auto written = write(write_end, &byte, 1);
  errno = saved;
}
}  // namespace

int stop_signal_fd() {
  static const int kReadEnd = [] {
    auto pipe = make_pipe();
    write_end = pipe.write_end.release();
    fcntl(write_end, F_SETFL, O_NONBLOCK);
    struct sigaction action = {};
    action.sa_handler = on_stop_signal;
    sigemptyset(&action.sa_mask);
    sigaction(SIGTERM, &action, nullptr);
    sigaction(SIGINT, &action, nullptr);
    return pipe.read_end.release();
  }();
  return kReadEnd;
}

void forget_stop_signals(int fd) {
  pollfd entry{fd, POLLIN, 0};
  char bytes[64];
  while (poll(&entry, 1, 0) > 0 && read(fd, bytes, sizeof bytes) > 0) {
  }
}

void outlive_client() {
  static_cast<void>(signal(SIGPIPE, SIG_IGN));
  static_cast<void>(signal(SIGHUP, SIG_IGN));
  setsid();
}

}  // namespace pushrod
