// Waits for s6-supervise without polling it; supervisor.cc waits with it for services to come up.
#include "supervise/status_watch.hh"

#include <poll.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <thread>

#include "base/error.hh"
#include "os/inotify.hh"

namespace pushrod {

namespace {

constexpr Milliseconds kLook{20};  // between two reports without inotify

}  // namespace

StatusWatch::StatusWatch() : inotify_(inotify_init1(IN_CLOEXEC | IN_NONBLOCK)) {
  if (!inotify_ && !is_inotify_used_up(errno)) throw_errno("watch services");
}

void StatusWatch::add(const std::filesystem::path& service_directory) {
  const auto directory = service_directory / "supervise";
  const int number = inotify_ ? inotify_add_watch(inotify_.get(), directory.c_str(), IN_MOVED_TO) : -1;
  if (number >= 0) {
    watched_[number] = service_directory;
  } else if (!inotify_ || is_inotify_used_up(errno)) {
    unwatched_.insert(service_directory);
  } else {
    throw_errno("watch " + directory.native());
  }
}

std::set<std::filesystem::path> StatusWatch::wait_blindly(const Deadline& deadline) {
  if (deadline.passed()) return {};
  std::this_thread::sleep_for(std::min(kLook, deadline.left()));
  auto all = unwatched_;
  for (const auto& [number, directory] : watched_) all.insert(directory);
  return all;
}

std::set<std::filesystem::path> StatusWatch::wait(const Deadline& deadline) {
  if (!unwatched_.empty()) return wait_blindly(deadline);
  std::set<std::filesystem::path> changed;
  while (changed.empty() && !deadline.passed()) {
    pollfd entry{inotify_.get(), POLLIN, 0};
    if (poll(&entry, 1, static_cast<int>(deadline.left().count())) < 0 && errno != EINTR) {
      throw_errno("wait for services");
    }
    std::array<char, 4096> events{};
    ssize_t length = 0;
    while ((length = read(inotify_.get(), events.data(), events.size())) > 0) {
      for (ssize_t at = 0; at < length;) {
        inotify_event event{};
        std::memcpy(&event, events.data() + at, sizeof event);
        at += static_cast<ssize_t>(sizeof event + event.len);
        if (const auto found = watched_.find(event.wd); found != watched_.end()) changed.insert(found->second);
        if ((event.mask & IN_Q_OVERFLOW) == 0) continue;
        for (const auto& [number, directory] : watched_) changed.insert(directory);
      }
    }
  }
  return changed;
}

}  // namespace pushrod
