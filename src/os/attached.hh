// A command that belongs to a connection: its bytes are carried both ways, and it ends with the person who waits for
// it. For `run`, `shell` and cron jobs; os/command.hh is for programs whose output we want ourselves.
#pragma once

#include <chrono>

#include "os/command.hh"

namespace pushrod {

struct Attachment {
  enum class Kind {
    Direct,    // the command gets the three descriptors themselves (-1: /dev/null): nobody waits at the other end
    Pipes,     // pipes of its own; bytes as they are, the end of its input told, both outputs apart
    Terminal,  // a terminal of its own, with the modes and the size of `in`, which is in raw mode meanwhile
  };
  Kind kind = Kind::Pipes;
  int in = 0;
  int out = 1;
  int err = 2;
  std::chrono::milliseconds deadline = std::chrono::milliseconds::max();
  std::chrono::milliseconds patience{5'000};  // from SIGTERM to SIGKILL
};

// Runs to the command's end. SIGINT, SIGQUIT, SIGUSR1 and SIGUSR2 that we get are passed on. When we are told to end
// (SIGTERM) or the deadline has passed, the command gets SIGTERM; when nobody reads the output any more or the terminal
// is gone (SIGHUP), and whenever it has a terminal, SIGHUP as well; and SIGKILL after the patience. The result is
// TimedOut when the deadline did that, otherwise what the command made of it. Only for a process with one thread.
CommandResult run_attached(const Command& command, const Attachment& attachment);

}  // namespace pushrod
