// Finds sandboxes by their first process, and counts what all processes below it have.
#include "serve/guard.hh"

#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>

#include "base/error.hh"
#include "base/text.hh"
#include "os/command.hh"
#include "os/files.hh"
#include "os/mounts.hh"
#include "os/process_tree.hh"

namespace pushrod {

namespace {

constexpr std::uint64_t kLeastShare = 8;  // an eighth
constexpr std::size_t kLongestFile = std::size_t{1} << 20;

std::string text_of(const fs::path& file) {
  try {
    return read_file(file, kLongestFile).value_or("");
  } catch (const Error&) {  // it has ended, or is not ours
    return {};
  }
}

// The shim as pid 1 of a sandbox, in either of its two roles (src/shim/README.md).
bool is_init(const fs::path& process) {
  const auto words = split(text_of(process / "cmdline"), '\0');
  return words.size() > 1 && words[0] == "/.pushrod-shim" && (words[1] == "init" || words[1] == "run");
}

std::uint64_t used_in(const RunningSandbox& sandbox, SharedResource resource) {
  std::uint64_t count = used_by(sandbox.init, resource);
  for (const pid_t process : descendants_of(sandbox.init)) count += used_by(process, resource);
  return count;
}

}  // namespace

std::string app_of_mounts(const std::vector<DevicePath>& parents, const std::vector<MountEntry>& mounts) {
  const auto at_app = std::ranges::find(mounts, fs::path("/app"), &MountEntry::point);
  if (at_app == mounts.end()) return {};
  for (const DevicePath& parent : parents) {
    if (at_app->shown.device != parent.device) continue;
    const auto rest = at_app->shown.path.lexically_relative(parent.path);
    if (!rest.empty() && *rest.begin() != "." && *rest.begin() != "..") return rest.begin()->native();
  }
  return {};
}

std::vector<RunningSandbox> running_sandboxes(const Layout& layout) {
  const auto here = mounts_of("/proc/self");
  const std::vector<DevicePath> parents = {device_path_of(fs::weakly_canonical(layout.checkouts()), here),
                                           device_path_of(fs::weakly_canonical(layout.releases()), here)};
  std::vector<RunningSandbox> found;
  for (const auto& entry : list_directory("/proc")) {
    const auto pid = parse_unsigned(entry);
    const auto process = fs::path("/proc") / entry;
    if (!pid || !is_init(process)) continue;
    auto app = app_of_mounts(parents, mounts_of(process));
    if (!app.empty()) found.push_back({static_cast<pid_t>(*pid), std::move(app)});
  }
  return found;
}

void Guard::look() {
  end_stop();
  for (const auto resource : kSharedResources) {
    const bool is_used_up = probe_.is_used_up(resource);
    if (is_used_up && was_used_up_[resource]) free(resource);
    was_used_up_[resource] = is_used_up;
  }
}

void Guard::free(SharedResource resource) {
  std::uint64_t most = 0;
  RunningSandbox culprit;
  for (auto& sandbox : running_sandboxes(layout_)) {
    const auto used = used_in(sandbox, resource);
    if (used <= most) continue;
    most = used;
    culprit = std::move(sandbox);
  }
  if (culprit.app.empty() || most < total_of(resource) / kLeastShare) {
    fmt::print(stderr, "No {} are left, and no app has many of them.\n", name_of(resource));
    return;
  }
  const auto reason =
      fmt::format("it had used up the {} of this machine ({} of {})", name_of(resource), most, total_of(resource));
  fmt::print(stderr, "The watchdog stops app {}: {}.\n", culprit.app, reason);
  std::fflush(stderr);
  kill(culprit.init, SIGKILL);
  begin_stop(culprit.app, reason);
}

void Guard::begin_stop(const std::string& app, const std::string& reason) {
  if (stop_) return;  // if this app is another one, its sandbox is killed again when that is done
  Command command;
  command.argv = {program_.native(), "--root", layout_.root().native(), "halt", "--app", app, "--reason", reason};
  stop_ = ChildProcess::start(command, -1, -1, STDERR_FILENO);
}

void Guard::end_stop() {
  const auto result = stop_ ? stop_->wait(Milliseconds{0}) : std::nullopt;
  if (!result) return;
  stop_.reset();
  if (!result->ok()) fmt::print(stderr, "Stopping the app failed: {}.\n", result->describe());
}

}  // namespace pushrod
