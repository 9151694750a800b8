// A subtree of cgroups (version 2) that was delegated to Pushrod: one group per instance or build, which limits all of
// its processes together and counts what they use.
// No call requires that a group exists: an instance may be older than the subtree.
//
// <subtree>/pushrod           the tree itself: s6, router, sshd, daemon
// <subtree>/app.<instance>    everything of one instance but its keeper
// <subtree>/build.<number>    a build, release command or job
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "model/process.hh"
#include "os/clock.hh"

namespace pushrod {

struct CgroupUsage {
  std::uint64_t memory = 0;  // bytes
  Milliseconds processor{0};
  unsigned processes = 0;
};

class Cgroups {
 public:
  explicit Cgroups(std::filesystem::path subtree) : subtree_(std::move(subtree)) {}

  // For `up`: takes possession of the subtree, which holds this process and no other. Moves it into a group of its own
  // and passes the controllers on to all groups. Absent when memory or processes cannot be limited there; everything is
  // then as it was.
  static std::optional<Cgroups> take(const std::filesystem::path& subtree);
  // What `up` recorded in layout.cgroup(). Absent: Pushrod has no subtree.
  static std::optional<Cgroups> recorded(const std::filesystem::path& file);
  void record(const std::filesystem::path& file) const;
  // The group of this process. Empty where version 2 is not mounted at /sys/fs/cgroup.
  static std::filesystem::path own_group();

  const std::filesystem::path& subtree() const { return subtree_; }
  // Only processes of the subtree may be moved within it: not what is started from a login.
  bool holds_us() const;
  std::vector<std::string> controllers() const;

  // Makes the group, or finds it, and sets its limits. Absent where that is not possible (the disk, a limit on the
  // number of groups): the instance runs without.
  std::optional<std::filesystem::path> make(const std::string& name, const Limits& limits) const;
  // Kills the processes that are left in it, waits for their end (at most 2 s) and removes it. False while one still
  // ends.
  bool remove(const std::string& name) const;
  void remove_all(const std::string& prefix) const;

  // Absent: there is no such group, or no such controller.
  std::optional<CgroupUsage> usage(const std::string& name) const;
  // Was anything in it ever killed for want of memory?
  bool ran_out_of_memory(const std::string& name) const;

 private:
  std::filesystem::path subtree_;
};

// What is written into which file of a group, in this order.
std::vector<std::pair<std::string, std::string>> cgroup_settings(const Limits& limits);

}  // namespace pushrod
