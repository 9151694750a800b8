// A process that is not a child of this one, by a descriptor: a pid may be reused, a descriptor never names another
// one. Used inside supervise/ only.
#pragma once

#include <sys/types.h>

#include "os/clock.hh"
#include "os/unique_fd.hh"

namespace pushrod {

class ProcessEnd {
 public:
  // A process that is gone already counts as ended.
  explicit ProcessEnd(pid_t pid);
  void signal(int number) const;
  // True when it has ended.
  bool wait(const Deadline& deadline) const;

 private:
  UniqueFd pidfd_;
};

}  // namespace pushrod
