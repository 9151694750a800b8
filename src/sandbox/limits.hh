// By which means a sandbox's limits are enforced: a cgroup of its own where Pushrod has a subtree of cgroups, resource
// limits of the processes elsewhere.
// Pure but for rlimits_here() and hard_limits_of().
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "model/process.hh"
#include "sandbox/sandbox.hh"

namespace pushrod {

// What the kernel's resource limits can do.
struct Rlimits {
  // Before Linux 5.14 processes are counted per user: one app's would be counted for all others.
  bool count_processes_per_sandbox = true;
};
Rlimits rlimits_here();
Rlimits rlimits_of(const std::string& kernel_release);  // "6.1.0-28-amd64"

// The most that a process may be given: its hard limits.
struct HardLimits {
  std::uint64_t memory = std::numeric_limits<std::uint64_t>::max();
  std::uint64_t processes = std::numeric_limits<std::uint64_t>::max();
  std::uint64_t open_files = std::numeric_limits<std::uint64_t>::max();
};
// Of this process of ours; 0: of the calling one. No limits when it has ended.
HardLimits hard_limits_of(pid_t process);

// The words for pushrod-shim, inside: what the cgroup does not limit, and what only the inside can.
std::vector<std::string> wall_words(const Sandbox& sandbox, Rlimits rlimits);

// Of /tmp, and again of /dev/shm: what the operator allows, and not more than the memory that the sandbox may use.
std::uint64_t tmpfs_bytes(std::uint64_t allowed, const Limits& limits);

// The smaller one of each.
Limits tighter(const Limits& one, const Limits& other);

// What of these limits does not hold, or holds otherwise than it says, without a cgroup: "cpu is not limited", …
std::vector<std::string> shortcomings(const Limits& limits, Rlimits rlimits);

// What of these limits is above the hard ones, which then apply: "open_files is 4096 instead of 1000000 (…)", with the
// way to raise them. `has_cgroup`: memory and processes are limited by the instance's cgroup as well.
std::vector<std::string> beyond(const Limits& limits, const HardLimits& most, bool has_cgroup);

}  // namespace pushrod
