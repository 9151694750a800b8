// What processes and all that they have started use, read from /proc.
// Floor 1.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <vector>

#include "os/clock.hh"

namespace pushrod {

struct TreeUsage {
  Milliseconds processor{0};  // of those that live, and of what they have waited for
  std::uint64_t memory = 0;   // bytes; what is shared is divided among those who share it, where that may be read
  unsigned processes = 0;
};

// Of the descendants of each of these processes, themselves not counted; one look at /proc for all. A process that ends
// while we look is not in it.
std::map<pid_t, TreeUsage> measure_trees(const std::vector<pid_t>& roots);

}  // namespace pushrod
