// A cgroup for a sandbox that is a child of ours (a build, release command or job), for as long as that takes.
#pragma once

#include <optional>
#include <string>

#include "model/layout.hh"
#include "sandbox/cgroup.hh"
#include "sandbox/sandbox.hh"

namespace pushrod {

class SandboxGroup {
 public:
  // Makes the group, if we may, and says so in the sandbox, whose limits then hold for all of its processes together;
  // and lets the kernel end it before any instance when memory runs out. What a crash leaves, `up` removes.
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
