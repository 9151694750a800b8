// Starts and stops services in the running tree, and tells how they are. remove.cc takes them out of the tree, tree.cc
// does what concerns the tree as a whole.
#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "base/error.hh"
#include "base/text.hh"
#include "os/files.hh"
#include "supervise/remains.hh"
#include "supervise/s6_state.hh"
#include "supervise/s6_tool.hh"
#include "supervise/service_directory.hh"
#include "supervise/status_watch.hh"
#include "supervise/supervise.hh"

namespace pushrod {

namespace {

constexpr Milliseconds kForgotten{2'000};  // a service that has no s6-supervise for so long gets none

void control(const fs::path& service, const std::string& commands) {
  run_s6_tool({"s6-svc", "-" + commands, service.native()});
}

// Without an s6-supervise there is nothing to tell. It may also end meanwhile, when the daemon takes
// the service out of the tree at the same moment.
void control_if_supervised(const fs::path& service, const std::string& commands) {
  if (!supervisor_of(service)) return;
  try {
    control(service, commands);
  } catch (const Error&) {
    if (supervisor_of(service)) throw;
  }
}

// A killed s6-supervise loses what it was told, and its successor starts the service, unless this file is there.
void keep_down(const fs::path& service) {
  while (is_directory(service)) {
    try {
      write_file(service / kDownFile, "", 0600, false);
      return;
    } catch (const SystemError& error) {
      if (error.code() != ENOENT) throw;  // otherwise the daemon has removed the service meanwhile, or replaced it
    }
  }
}

}  // namespace

Supervisor::Supervisor(Layout layout, fs::path programs) : layout_(std::move(layout)), programs_(std::move(programs)) {}

void Supervisor::write(const Service& service) const {
  const fs::path directory = layout_.service(service.name);
  if (supervisor_of(directory)) throw Error("service " + quoted(service.name) + " is live and cannot be replaced");
  end_logger(directory);  // it would live on without a name
  const fs::path fresh = unfinished_service(layout_, service.name);
  remove_tree(fresh);
  render_service(service, programs_ / "pushrod-shim", fresh);
  discard_service(layout_, service.name);
  if (rename(fresh.c_str(), directory.c_str()) != 0) throw_errno("rename " + fresh.native());
}

void Supervisor::start(const std::vector<std::string>& names, Milliseconds at_most) const {
  const Deadline deadline(at_most);
  if (!is_running()) throw Error("s6-svscan does not run on " + quoted(layout_.scan().native()));

  struct Waiting {
    std::string name;
    unsigned deaths_before = 0;
  };
  std::vector<Waiting> waiting;
  StatusWatch watch;
  bool rescan = false;
  for (const std::string& name : names) {
    const fs::path directory = layout_.service(name);
    watch.add(directory);
    remove_file(directory / kDownFile);
    const bool linked = is_linked(name);
    if (!linked || !supervisor_of(directory)) {
      if (!linked) {
        // s6-svscan would wait for the end of a logger whose service has left the tree before.
        if (!supervisor_of(directory)) end_logger(directory);
        link_to(layout_.scan() / name, directory);
      }
      rescan = true;
      waiting.push_back({name, 0});
      continue;
    }
    const auto state = observe_service(directory);
    if (state && state->up && state->wanted_up) continue;
    waiting.push_back({name, state ? state->deaths : 0});
    remove_file(directory / "backoff");
    control(directory, "u");
  }
  if (rescan) run_s6_tool({"s6-svscanctl", "-a", layout_.scan().native()});

  const auto has_started = [&](const Waiting& service) {
    const auto state = observe_service(layout_.service(service.name));
    // One that ended at once has been started, too.
    return state && (state->up || state->deaths > service.deaths_before);
  };
  std::erase_if(waiting, has_started);
  const Deadline patience(std::min(at_most, kForgotten));
  bool is_patient = true;
  while (!waiting.empty()) {
    const auto changed = watch.wait(is_patient ? patience : deadline);
    std::erase_if(waiting, [&](const Waiting& service) {
      return changed.contains(layout_.service(service.name)) && has_started(service);
    });
    if (!changed.empty() || waiting.empty()) continue;
    if (std::exchange(is_patient, false)) {
      if (!unsupervised().empty()) start_forgotten();
      std::erase_if(waiting, has_started);
      continue;
    }
    throw Error(fmt::format("s6 did not start {} within {}", quoted(waiting.front().name), format_duration(at_most)),
                "the output of `pushrod up` says why");
  }
}

void Supervisor::stop(const std::string& name) const {
  const fs::path directory = layout_.service(name);
  keep_down(directory);
  control_if_supervised(directory, "d");
}

void Supervisor::kill(const std::string& name) const {
  const fs::path directory = layout_.service(name);
  keep_down(directory);
  control_if_supervised(directory, "Ok");
}

ServiceStatus Supervisor::status(const std::string& name) const {
  const fs::path directory = layout_.service(name);
  ServiceStatus status;
  status.supervised = supervisor_of(directory).has_value();
  const auto state = observe_service(directory);
  if (state) {
    status.wanted_up = state->wanted_up;
    // The clock may have been set back.
    status.since = std::max(std::chrono::duration_cast<Milliseconds>(now() - state->since), Milliseconds{0});
    status.pid = state->pid;
    status.deaths = state->deaths;
    status.last_exit = state->last_exit;
  }
  status.up = status.pid != 0 || is_instance_lock_held(directory);
  if (status.pid != 0) status.backing_off = backing_off(directory);
  return status;
}

Liveness Supervisor::liveness(const std::string& name) const {
  const fs::path directory = layout_.service(name);
  Liveness liveness;
  liveness.up = is_instance_lock_held(directory);
  // The shim takes its lock when the time is over.
  if (!liveness.up && supervisor_of(directory)) liveness.backing_off = backing_off(directory);
  return liveness;
}

std::vector<std::string> Supervisor::services() const {
  std::vector<std::string> names = list_directory(layout_.services());
  std::erase_if(names, [](const std::string& name) { return name.starts_with('.'); });
  return names;
}

bool Supervisor::is_linked(const std::string& name) const {
  std::error_code error;
  return fs::is_symlink(fs::symlink_status(layout_.scan() / name, error));
}

}  // namespace pushrod
