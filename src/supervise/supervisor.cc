// Starts, stops and removes services in the running tree.
// Floor 3, the acting half of supervise/; tree.cc does what concerns the tree as a whole.
#include <fmt/format.h>

#include <algorithm>

#include "base/error.hh"
#include "base/text.hh"
#include "os/files.hh"
#include "supervise/process_end.hh"
#include "supervise/s6_state.hh"
#include "supervise/s6_tool.hh"
#include "supervise/service_directory.hh"
#include "supervise/status_watch.hh"
#include "supervise/supervise.hh"

namespace pushrod {

namespace {

constexpr Milliseconds kSupervisorEnd{5'000};  // what s6-supervise gets to end once its service is down

// Where a service is rendered before it gets its place. Whoever renders one has the app's lock, so a left-over is
// nobody's.
fs::path unfinished(const Layout& layout, const std::string& name) { return layout.service("." + name); }

void control(const fs::path& service, const std::string& commands) {
  run_s6_tool({"s6-svc", "-" + commands, service.native()});
}

// Nothing is left to tell when nobody supervises it; that may also become so while we tell it, when the daemon takes
// the service out of the tree at the same moment.
void control_if_supervised(const fs::path& service, const std::string& commands) {
  if (!supervisor_of(service)) return;
  try {
    control(service, commands);
  } catch (const Error&) {
    if (supervisor_of(service)) throw;
  }
}

}  // namespace

Supervisor::Supervisor(Layout layout, fs::path programs) : layout_(std::move(layout)), programs_(std::move(programs)) {}

void Supervisor::write(const Service& service) const {
  const fs::path directory = layout_.service(service.name);
  if (supervisor_of(directory)) throw Error("service " + quoted(service.name) + " is live and cannot be replaced");
  const fs::path fresh = unfinished(layout_, service.name);
  remove_tree(fresh);
  render_service(service, programs_ / "pushrod-shim", fresh);
  remove_tree(directory);
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
    const bool live = supervisor_of(directory).has_value() && is_linked(name);
    if (!live) {
      link_to(layout_.scan() / name, directory);
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
  while (!waiting.empty()) {
    const auto changed = watch.wait(deadline);
    std::erase_if(waiting, [&](const Waiting& service) {
      return changed.contains(layout_.service(service.name)) && has_started(service);
    });
    if (!changed.empty() || waiting.empty()) continue;
    throw Error(fmt::format("s6 did not start {} within {}", quoted(waiting.front().name), format_duration(at_most)),
                "the output of `pushrod up` says why");
  }
}

void Supervisor::stop(const std::string& name) const {
  const fs::path directory = layout_.service(name);
  control_if_supervised(directory, "d");
}

void Supervisor::kill(const std::string& name) const {
  const fs::path directory = layout_.service(name);
  control_if_supervised(directory, "Ok");
}

std::vector<std::string> Supervisor::remove(const std::vector<std::string>& names) const {
  std::vector<std::string> left;
  std::vector<std::string> ending;
  std::vector<ProcessEnd> supervisors;
  for (const std::string& name : names) {
    const fs::path directory = layout_.service(name);
    const ServiceStatus observed = status(name);
    if (observed.up || (observed.supervised && observed.wanted_up)) {
      left.push_back(name);
      continue;
    }
    for (const fs::path& supervised : {directory, directory / "log"}) {
      if (const auto pid = supervisor_of(supervised)) supervisors.emplace_back(*pid);
    }
    remove_file(layout_.scan() / name);
    ending.push_back(name);
  }
  // -a: look again, -n: end the supervisors whose links are gone; the loggers end at the end of their input.
  if (!supervisors.empty() && is_running()) run_s6_tool({"s6-svscanctl", "-an", layout_.scan().native()});
  const Deadline deadline(kSupervisorEnd);
  for (const ProcessEnd& supervisor : supervisors) supervisor.wait(deadline);
  for (const std::string& name : ending) {
    const fs::path directory = layout_.service(name);
    if (supervisor_of(directory) || supervisor_of(directory / "log")) {
      left.push_back(name);
    } else {
      remove_tree(directory);
      remove_tree(unfinished(layout_, name));
    }
  }
  return left;
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
