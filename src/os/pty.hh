// Pseudo-terminals, and the modes of the operator's terminal.
// A sandboxed process never holds the operator's terminal, into which it could type (TIOCSTI). It gets one end of a new
// pair, and this process carries the bytes (os/attached.hh).
#pragma once

#include <termios.h>

#include "os/unique_fd.hh"

namespace pushrod {

struct PseudoTerminal {
  UniqueFd ours;    // what the process writes is read here, non-blocking
  UniqueFd theirs;  // its terminal; not yet the controlling terminal of a session
};
// With the modes and the size of the terminal `like`.
PseudoTerminal make_pseudo_terminal(int like);

void copy_window_size(int from, int to);

// A terminal that passes every byte on at once, until the destructor puts its modes back.
class RawMode {
 public:
  explicit RawMode(int terminal);
  RawMode(const RawMode&) = delete;
  RawMode& operator=(const RawMode&) = delete;
  ~RawMode();

 private:
  int terminal_;
  termios before_{};
};

}  // namespace pushrod
