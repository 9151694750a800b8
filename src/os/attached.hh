// A command that belongs to a connection: its bytes are carried both ways, and it ends when the connection ends. For
// `run`, `shell` and cron jobs; os/command.hh is for programs whose output Pushrod itself reads.
#pragma once

#include <chrono>

#include "os/command.hh"

namespace pushrod {

struct Attachment {
  enum class Kind {
    Direct,    // the command gets the three descriptors themselves (-1: /dev/null): for jobs without a client
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

// Runs until the command ends. SIGINT, SIGQUIT, SIGUSR1 and SIGUSR2 to this process are passed on. The command gets
// SIGTERM when this process gets SIGTERM, when the deadline has passed, or when the client is gone (SIGHUP, a second
// SIGTERM, or the reader of the output closed it); SIGHUP as well when the client is gone or the command has a
// terminal; and SIGKILL after the patience. The result is TimedOut when the deadline ended it, otherwise how the
// command ended. Only for a process with one thread.
CommandResult run_attached(const Command& command, const Attachment& attachment);

}  // namespace pushrod
