// Closing descriptors, and making pipes of them.
// Under everything that opens anything.
#include "os/unique_fd.hh"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "base/error.hh"

namespace pushrod {

UniqueFd& UniqueFd::operator=(UniqueFd&& other) noexcept {
  if (this != &other) {
    reset();
    fd_ = other.release();
  }
  return *this;
}

void UniqueFd::reset() noexcept {
  if (fd_ < 0) return;
  // An owner often goes out of scope between a failed call and the look at its errno. On Linux the descriptor is gone
  // after every result of close, and trying again might close another file's.
  const int saved = errno;
  close(std::exchange(fd_, -1));
  errno = saved;
}

Pipe make_pipe() {
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) throw_errno("make a pipe");
  return {UniqueFd(ends[0]), UniqueFd(ends[1])};
}

}  // namespace pushrod
