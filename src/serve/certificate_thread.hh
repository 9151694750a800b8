// The daemon's certificates: a thread that sleeps until one is to be obtained, the clock is set, or call() is called.
#pragma once

#include "deploy/platform.hh"
#include "os/unique_fd.hh"
#include "os/wall_timer.hh"

namespace pushrod {

// With a database connection of its own. Never joined: the daemon is crash-only, and an order dies with it.
class CertificateThread {
 public:
  explicit CertificateThread(const Platform& platform);

  // There may be something to do: a new domain, a request.
  void call();

 private:
  [[noreturn]] void run();

  const Platform& platform_;
  UniqueFd calls_;  // an eventfd
  WallTimer timer_;
};

}  // namespace pushrod
