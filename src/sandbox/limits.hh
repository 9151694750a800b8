// How a sandbox's limits are enforced: by a cgroup of its own where Pushrod has a subtree of cgroups, by resource
// limits of the processes elsewhere. Pure except rlimits_here() and hard_limits_of().
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
// Those of a process of this user; 0: of the calling one. No limits when it has ended.
HardLimits hard_limits_of(pid_t process);

// The arguments for pushrod-shim inside the sandbox: the limits that the cgroup does not enforce, and those that only a
// process inside can set.
std::vector<std::string> wall_words(const Sandbox& sandbox, Rlimits rlimits);

// Of /tmp, and again of /dev/shm: what the operator allows, and not more than the memory that the sandbox may use.
std::uint64_t tmpfs_bytes(std::uint64_t allowed, const Limits& limits);

// The smaller one of each.
Limits tighter(const Limits& one, const Limits& other);

// The limits that are not enforced without a cgroup, or not as they are written: "cpu is not limited", …
std::vector<std::string> shortcomings(const Limits& limits, Rlimits rlimits);

// The limits that are above the hard ones, which then apply: "open_files is 4096 instead of 1000000 (…)", with the way
// to raise them. `has_cgroup`: memory and processes are limited by the instance's cgroup as well.
std::vector<std::string> beyond(const Limits& limits, const HardLimits& most, bool has_cgroup);

}  // namespace pushrod
