// Limits on a program that reads what clients have written, and on everything that it starts.
// A program of Pushrod that is started inside may leave them: only the soft limit is lowered.
#pragma once

#include <cstdint>

namespace pushrod {

struct Confinement {
  // Bytes of data for each process (RLIMIT_DATA: what is allocated, and not files that are mapped to be read, as git
  // maps its packs). 0: no limit of its own.
  std::uint64_t memory = 0;
  // When the machine's memory runs out, the kernel ends it before anything else.
  bool ends_first = false;
  // Lower priority for processors and disks than other programs have: work that no request waits for.
  bool in_background = false;
};

// Puts this process under them. False, with errno, when a limit could not be set. Only makes system calls.
bool confine(const Confinement& confinement) noexcept;

// How much sooner than others the kernel ends this process for want of memory: -1000 to 1000.
int oom_score();

// For a program of Pushrod that was started confined and goes on to other things: no soft limit on data, and the score
// of the process that started it.
void leave_confinement(int oom_score);

}  // namespace pushrod
