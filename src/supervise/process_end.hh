// A process that is not our child, by a descriptor: its number may be reused, the descriptor never means another.
// Used inside supervise/ only.
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
