// Runs sandboxes as children of this process, and finds out whether this machine can.
// bwrap.cc builds the vector; instances are run by pushrod-shim (shim_spec.cc).
#include "sandbox/sandbox.hh"

#include <fmt/format.h>
#include <unistd.h>

#include <functional>

#include "base/error.hh"
#include "base/text.hh"
#include "os/files.hh"
#include "sandbox/bwrap.hh"

namespace pushrod {

namespace {

// A file that may not be read says nothing.
bool says(const char* file, std::string_view value) {
  try {
    const auto content = read_file(file, 64);
    return content && trim(*content) == value;
  } catch (const Error&) {
    return false;
  }
}

// What keeps user namespaces from an ordinary user, from the most to the least telling.
std::string remedy(const std::string& complaint) {
  if (says("/proc/sys/kernel/unprivileged_userns_clone", "0")) {
    return "ordinary users may not make user namespaces here: as root, `sysctl -w kernel.unprivileged_userns_clone=1`, "
           "and the same line in /etc/sysctl.d/";
  }
  if (says("/proc/sys/user/max_user_namespaces", "0")) {
    return "the number of user namespaces is limited to 0: as root, `sysctl -w user.max_user_namespaces=15000`, and "
           "the same line in /etc/sysctl.d/";
  }
  if (says("/proc/sys/kernel/apparmor_restrict_unprivileged_userns", "1")) {
    return "AppArmor keeps user namespaces from programs without a profile: as root, install a profile for "
           "/usr/bin/bwrap that says `userns,` (or `sysctl -w kernel.apparmor_restrict_unprivileged_userns=0`)";
  }
  if (complaint.find("ENOSPC") != std::string::npos) {
    return "no more user namespaces can be made: raise user.max_user_namespaces; inside another sandbox, leave it";
  }
  if (complaint.find("pivot_root") != std::string::npos ||
      complaint.find("new namespace failed") != std::string::npos) {
    return "bwrap needs to change the root directory and to make namespaces, which a chroot or a container may forbid: "
           "run Pushrod outside of it, or allow nested user namespaces there";
  }
  return "bwrap must be able to make user namespaces as this user";
}

}  // namespace

Command sandbox_command(const Sandbox& sandbox) {
  const auto bwrap = find_program("bwrap");
  if (!bwrap) throw Error("bwrap is not installed", "install bubblewrap: `apt install bubblewrap`");
  Command command;
  // While bwrap sets the sandbox up, one of its processes waits for the other; killed in between, it would leave that
  // one waiting without an end. So nothing kills bwrap when we die: the shim inside sees it, and ends.
  command.die_with_parent = false;
  auto with_starter = sandbox;
  with_starter.starter = own_pidfd();
  command.inherit.push_back(*with_starter.starter);
  command.argv = bwrap_arguments(with_starter, ShimRole::Run, read_host_root());
  command.argv.front() = bwrap->native();
  if (!sandbox.cgroup.empty()) {
    const std::vector<std::string> join{shim_of(sandbox).native(), "join", (sandbox.cgroup / "cgroup.procs").native()};
    command.argv.insert(command.argv.begin(), join.begin(), join.end());
  }
  command.environment = bwrap_environment(sandbox);
  return command;
}

namespace {

// Runs the sandbox; what is wrong, with its remedy.
std::string probe(Sandbox sandbox, const std::function<std::string(const std::string& complaint)>& remedy_for) {
  try {
    sandbox.host_name = "probe";
    sandbox.command = "true";
    Command command = sandbox_command(sandbox);
    command.deadline = Milliseconds{10'000};
    const CommandResult result = run(command);
    if (result.ok()) return {};
    const std::vector<std::string> lines = lines_of(result.err);
    const std::string complaint = lines.empty() ? result.describe() : escaped(lines.back());
    return fmt::format("{}: {}", complaint, remedy_for(result.err));
  } catch (const Error& error) {
    return error.hint().empty() ? error.message() : fmt::format("{}: {}", error.message(), error.hint());
  }
}

}  // namespace

std::string probe_sandbox() {
  Sandbox sandbox;
  sandbox.directory = "/";
  return probe(std::move(sandbox), remedy);
}

std::string probe_writable() {
  Sandbox sandbox;
  sandbox.mounts = {{"/usr/share", "/app", false}};
  sandbox.writable = {"."};
  return probe(std::move(sandbox), [](const std::string& complaint) {
    if (complaint.find("make writable") == complaint.npos) return remedy(complaint);
    return std::string{"it takes Linux 5.11 or newer, with overlayfs (CONFIG_OVERLAY_FS; as root: `modprobe overlay`)"};
  });
}

}  // namespace pushrod
