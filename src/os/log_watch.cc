#include "os/log_watch.hh"

#include <poll.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/error.hh"
#include "os/inotify.hh"
#include "os/stop_signal.hh"

namespace pushrod {

namespace {

constexpr Milliseconds kLook{200};

}  // namespace

LogWatch::LogWatch() : inotify_(inotify_init1(IN_CLOEXEC | IN_NONBLOCK)) {
  if (inotify_) return;
  if (!is_inotify_used_up(errno)) throw_errno("watching the logs");
  is_blind_ = true;
}

void LogWatch::add(const std::filesystem::path& path, std::uint32_t events) {
  if (inotify_ && inotify_add_watch(inotify_.get(), path.c_str(), events) < 0 && is_inotify_used_up(errno))
    is_blind_ = true;
}

bool LogWatch::wait(Milliseconds at_most) const {
  pollfd events[] = {{inotify_.get(), POLLIN, 0}, {stop_signal_fd(), POLLIN, 0}, {STDOUT_FILENO, 0, 0}};
  poll(events, 3, static_cast<int>((is_blind_ ? std::min(at_most, kLook) : at_most).count()));
  if (events[1].revents != 0 || (events[2].revents & (POLLERR | POLLHUP)) != 0) return false;
  char buffer[4096];
  while (inotify_ && read(inotify_.get(), buffer, sizeof buffer) > 0) {
  }
  return true;
}

}  // namespace pushrod
