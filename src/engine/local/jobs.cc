// Jobs on this machine: the keeper of an instance (src/shim), as a child of the process that looks after the job.
// Part of the engine for this machine.
#include <thread>

#include "base/error.hh"
#include "engine/local/local_engine.hh"
#include "os/file_lock.hh"
#include "os/files.hh"
#include "sandbox/shim_spec.hh"

namespace pushrod {

namespace {
constexpr Milliseconds kLastBreath{5'000};  // a killed keeper's sandbox is gone within milliseconds
constexpr Milliseconds kPause{5};           // no event tells when another process's lock is free
}  // namespace

std::vector<std::string> LocalEngine::shell_words(const std::string& line) const {
  return {command_shell(), "-c", line};
}

Command LocalEngine::job(const InstancePlan& plan, const std::vector<std::string>& words) const {
  make_directory(layout_.data(plan.name.app));
  write_sandbox_etc(layout_.sandbox_etc());
  Sandbox sandbox = sandbox_of(plan);
  sandbox.argv = words;
  // A caller from a login is outside of the subtree, and what it starts cannot be moved in: limits of each
  // process.
  if (const auto cgroups = Cgroups::recorded(layout_.cgroup()); !cgroups || !cgroups->holds_us())
    sandbox.cgroup.clear();
  const auto directory = layout_.job(plan.name);
  make_directory(directory);
  write_file(directory / "spec", render_job_spec(sandbox), 0600, false);
  Command command;
  command.argv = {(programs_ / "pushrod-shim").native()};
  command.directory = directory;
  return command;
}

Command LocalEngine::job_log(const InstanceName& name) const {
  const auto directory = layout_.instance_log(name);
  make_directory(directory);
  Command command;
  command.argv = log_arguments(directory, settings_.log_bytes);
  return command;
}

void LocalEngine::forget_job(const InstanceName& name) const {
  const auto directory = layout_.job(name);
  if (!is_directory(directory)) return;
  const Deadline deadline(kLastBreath);
  while (!FileLock::try_acquire(directory / "lock")) {
    if (deadline.passed()) throw Error("processes of " + name.str() + " do not end", "the daemon tries again");
    std::this_thread::sleep_for(kPause);
  }
  remove_groups({name});
  remove_tree(directory);
}

}  // namespace pushrod
