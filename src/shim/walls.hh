// The walls that the shim puts around itself just before it becomes the app, a build or a job. Nothing takes them off
// again, and everything that is started inside has them.
// Used inside shim/ only. README.md tells what is refused, with which error, on which kernel.
#pragma once

#include <stdint.h>

namespace shim {

constexpr int kMostPorts = 9;  // the one that the router leads to, and eight further ones

struct Walls {
  // The TCP ports, beside those that the kernel chooses, that may be listened on; the others are 0.
  uint64_t ports[kMostPorts] = {};
  uint64_t memory = 0;      // bytes of data per process; 0: as inherited
  uint64_t processes = 0;   // threads included; 0: as inherited
  uint64_t open_files = 0;  // per process; 0: as many as apps may have
  uint64_t oom_score = 0;   // from 1 to 1000: how much sooner than others the kernel ends it for want of memory
};
// Takes "port=…", "memory=…" and so on up to "--" from the words, which begin with the command afterwards.
Walls take_walls(char**& words);

// Ends the process with 111 where a wall cannot be raised. One that the kernel does not have is left out: `pushrod
// doctor` says so.
void raise_walls(const Walls& walls);

// The part of it that is seccomp.
void refuse_system_calls();

}  // namespace shim
