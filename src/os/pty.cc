// Pseudo-terminals, raw mode, window sizes.
// What os/attached.cc puts between a person's terminal and a sandboxed process.
#include "os/pty.hh"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>

#include "base/error.hh"

namespace pushrod {

void copy_window_size(int from, int to) {
  winsize size{};
  // A terminal without a size (a serial line) has none to pass on.
  if (ioctl(from, TIOCGWINSZ, &size) == 0) ioctl(to, TIOCSWINSZ, &size);
}

PseudoTerminal make_pseudo_terminal(int like) {
  PseudoTerminal pair;
  pair.ours = UniqueFd(posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK));
  if (!pair.ours || grantpt(pair.ours.get()) != 0 || unlockpt(pair.ours.get()) != 0) throw_errno("make a terminal");
  std::array<char, 64> name{};
  if (const int problem = ptsname_r(pair.ours.get(), name.data(), name.size()); problem != 0) {
    throw SystemError("name a terminal", problem);
  }
  pair.theirs = UniqueFd(open(name.data(), O_RDWR | O_NOCTTY | O_CLOEXEC));
  if (!pair.theirs) throw_errno("open a terminal");
  termios modes{};
  if (tcgetattr(like, &modes) == 0) tcsetattr(pair.theirs.get(), TCSANOW, &modes);
  copy_window_size(like, pair.ours.get());
  return pair;
}

RawMode::RawMode(int terminal) : terminal_(terminal) {
  if (tcgetattr(terminal_, &before_) != 0) throw_errno("read the modes of the terminal");
  termios raw = before_;
  cfmakeraw(&raw);
  if (tcsetattr(terminal_, TCSADRAIN, &raw) != 0) throw_errno("set the modes of the terminal");
}

RawMode::~RawMode() {
  const int saved = errno;
  tcsetattr(terminal_, TCSADRAIN, &before_);
  errno = saved;
}

}  // namespace pushrod
