// A cgroup for a sandbox that runs as a child of this process (a build, release command or job), while it runs.
#pragma once

#include <optional>
#include <string>

#include "model/layout.hh"
#include "sandbox/cgroup.hh"
#include "sandbox/sandbox.hh"

namespace pushrod {

class SandboxGroup {
 public:
  // Makes the group, where that is possible, and names it in the sandbox: its limits then hold for all of its processes
  // together. Also makes the kernel end this sandbox before any instance when memory runs out. `up` removes what a
  // crash leaves.
  SandboxGroup(const Layout& layout, Sandbox& sandbox);
  ~SandboxGroup();
  SandboxGroup(const SandboxGroup&) = delete;
  SandboxGroup& operator=(const SandboxGroup&) = delete;

  bool ran_out_of_memory() const { return cgroups_ && cgroups_->ran_out_of_memory(name_); }

 private:
  std::optional<Cgroups> cgroups_;
  std::string name_;
};

}  // namespace pushrod
