// Makes and removes the cgroup of one sandbox.
#include "sandbox/sandbox_group.hh"

#include <fmt/format.h>
#include <unistd.h>

#include <atomic>

namespace pushrod {

namespace {
constexpr unsigned kBeforeInstances = 500;
}

SandboxGroup::SandboxGroup(const Layout& layout, Sandbox& sandbox) : cgroups_(Cgroups::recorded(layout.cgroup())) {
  static std::atomic<unsigned> count = 0;
  sandbox.oom_score = kBeforeInstances;
  name_ = fmt::format("build.{}.{}", getpid(), ++count);
  if (cgroups_ && !cgroups_->holds_us()) cgroups_.reset();
  if (!cgroups_) return;
  if (const auto group = cgroups_->make(name_, sandbox.limits)) {
    sandbox.cgroup = *group;
  } else {
    cgroups_.reset();
  }
}

SandboxGroup::~SandboxGroup() {
  if (cgroups_) cgroups_->remove(name_);
}

}  // namespace pushrod
