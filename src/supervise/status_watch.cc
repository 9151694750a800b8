// Waiting for s6-supervise without polling it.
// Floor 3; supervisor.cc waits with it for services to come up.
#include "supervise/status_watch.hh"

#include <poll.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "base/error.hh"

namespace pushrod {

StatusWatch::StatusWatch() : inotify_(inotify_init1(IN_CLOEXEC | IN_NONBLOCK)) {
  if (inotify_) return;
  SystemError error("watch services", errno);
  if (error.code() == EMFILE) error.set_hint("raise fs.inotify.max_user_instances");
  throw error;
}

void StatusWatch::add(const std::filesystem::path& service_directory) {
  const auto directory = service_directory / "supervise";
  if (inotify_add_watch(inotify_.get(), directory.c_str(), IN_MOVED_TO) < 0) throw_errno("watch " + directory.native());
}

bool StatusWatch::wait(const Deadline& deadline) {
  pollfd entry{inotify_.get(), POLLIN, 0};
  const int ready = poll(&entry, 1, static_cast<int>(deadline.left().count()));
  if (ready < 0 && errno != EINTR) throw_errno("wait for services");
  std::array<char, 4096> events{};
  while (read(inotify_.get(), events.data(), events.size()) > 0) {
  }
  return ready != 0;
}

}  // namespace pushrod
