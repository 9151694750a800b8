// SIGTERM and SIGINT as a descriptor: readable from the first one on. The handlers are installed without SA_RESTART, so
// a wait for a lock is interrupted too.
#pragma once

#include "os/unique_fd.hh"

namespace pushrod {

// Installs the handlers, once per process; returns the descriptor, which lives as long as the process. From then on the
// signals no longer end the process by themselves.
int stop_signal_fd();

// Marks the signals so far as handled: the descriptor is readable again with the next one. Does nothing for -1.
void forget_stop_signals(int fd);

// Makes this process survive its connection: SIGPIPE and SIGHUP are ignored, and it gets a session of its own, so that
// a terminal's signals do not reach it (unless it leads a process group).
void outlive_client();

}  // namespace pushrod
