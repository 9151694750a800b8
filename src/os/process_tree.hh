// What processes and all that they have started use, read from /proc.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "os/clock.hh"

namespace pushrod {

struct TreeUsage {
  Milliseconds processor{0};  // of those that live, and of what they have waited for
  std::uint64_t memory = 0;   // bytes; what is shared is divided among those who share it, where that may be read
  unsigned processes = 0;
  pid_t child = 0;  // one of those whose parent is the root itself; 0: there is none
};

// Of the descendants of each of these processes, themselves not counted; one look at /proc for all. A process that ends
// while we look is not in it.
std::map<pid_t, TreeUsage> measure_trees(const std::vector<pid_t>& roots);

// The processes that this one has started and that live. Costs the same however many processes there are, where the
// kernel lists them (CONFIG_PROC_CHILDREN, as Debian's do).
std::vector<pid_t> children_of(pid_t parent);

// All descendants of a process, itself not counted; the nearest come first.
std::vector<pid_t> descendants_of(pid_t root);

// Bytes in the file system that the process has at this path, when one is mounted there; else 0. Also 0 when the
// process is gone or not ours.
std::uint64_t bytes_in_mount_of(pid_t process, const std::string& path);

// Was the process stopped by a signal (SIGSTOP and the like), and not continued? False when it is gone.
bool is_stopped(pid_t process);

// The command line of the nearest descendant whose name (comm) is not among those; words separated by spaces, as the
// process shows them. Empty when there is none.
std::string command_below(pid_t root, const std::vector<std::string>& skipped);

}  // namespace pushrod
