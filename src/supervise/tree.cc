// The supervision tree as a whole: is it there, how it starts and stops, and what a killed one left behind.
// s6-svscan's side of it is s6-svscan.html.
#include <fcntl.h>

#include <cerrno>
#include <csignal>
#include <thread>

#include "base/error.hh"
#include "base/text.hh"
#include "os/command.hh"
#include "os/files.hh"
#include "os/process_tree.hh"
#include "supervise/process_end.hh"
#include "supervise/s6_state.hh"
#include "supervise/s6_tool.hh"
#include "supervise/service_directory.hh"
#include "supervise/supervise.hh"

namespace pushrod {

namespace {

constexpr const char* kMostServices = "10000";  // s6-svscan's own default is 500 or 1000
constexpr const char* kRouter = "router";
constexpr Milliseconds kRouterEnd{30'000};
constexpr Milliseconds kAfterKill{5'000};
constexpr Milliseconds kPause{5};  // no event tells when another process's lock is free

std::vector<ProcessEnd> ends_of_children(pid_t parent) {
  std::vector<ProcessEnd> ends;
  for (const pid_t child : children_of(parent)) ends.emplace_back(child);
  return ends;
}

void stop_and_wait(const fs::path& service, Milliseconds at_most) {
  Command stop;
  stop.argv = {"s6-svc", "-wd", "-T", std::to_string(at_most.count()), "-d", service.native()};
  stop.deadline = at_most + kAfterKill;
  run(stop);  // one that does not end is ended with the rest of the tree
}

// The option that sets how many services there may be: -c in s6 2.11, -C since 2.12, and no -c since 2.15. The usage
// text, which every version prints, says which.
std::string option_for_most_services() {
  Command ask;
  ask.argv = {"s6-svscan", "-h"};
  ask.merge_output = true;
  return run(ask).out.find("-C ") != std::string::npos ? "-C" : "-c";
}

}  // namespace

bool Supervisor::is_running() const {
  const fs::path fifo = layout_.scan() / ".s6-svscan" / "control";
  const UniqueFd fd{open(fifo.c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC)};
  if (fd) return true;
  if (errno == ENXIO || errno == ENOENT) return false;  // no process reads it, or there never was a tree
  throw_errno("open " + fifo.native());
}

std::vector<std::string> Supervisor::prepare_scan(const fs::path& own_program) const {
  const fs::path control = layout_.scan() / ".s6-svscan";
  make_directory(control);
  // By itself s6-svscan would stop everything at once, and requests in flight would lose their instances.
  for (const char* signal : {"SIGTERM", "SIGINT"}) link_to(control / signal, own_program);
  return {"s6-svscan", option_for_most_services(), kMostServices, "-t", "0", layout_.scan().native()};
}

void Supervisor::stop_with_children(const std::string& name, Milliseconds at_most) const {
  const fs::path directory = layout_.service(name);
  const auto state = observe_service(directory);
  if (!state || state->pid == 0) return;
  const std::vector<ProcessEnd> children = ends_of_children(state->pid);
  stop_and_wait(directory, at_most);
  for (const ProcessEnd& child : children) child.signal(SIGTERM);
  const Deadline deadline(at_most);
  for (const ProcessEnd& child : children) {
    if (!child.wait(deadline)) child.signal(SIGKILL);
  }
}

void Supervisor::stop_tree() const {
  if (!is_running()) return;
  const fs::path router = layout_.service(kRouter);
  if (supervisor_of(router)) stop_and_wait(router, kRouterEnd);
  run_s6_tool({"s6-svscanctl", "-t", layout_.scan().native()});
}

unsigned Supervisor::end_orphans(Milliseconds at_most) const {
  if (is_running()) throw Error("the tree on " + layout_.scan().native() + " is running: it has no orphans");
  struct Orphan {
    ProcessEnd supervisor;
    fs::path directory;
  };
  std::vector<Orphan> orphans;
  std::vector<ProcessEnd> loggers;
  for (const std::string& name : services()) {
    const fs::path directory = layout_.service(name);
    if (const auto pid = supervisor_of(directory)) orphans.push_back({ProcessEnd(*pid), directory});
    if (const auto pid = supervisor_of(directory / "log")) loggers.emplace_back(*pid);
  }
  // To s6-supervise SIGTERM means: end your service as it wants to be ended, then yourself. SIGHUP: end when your
  // service does, which for a logger is at the end of its input.
  for (const Orphan& orphan : orphans) orphan.supervisor.signal(SIGTERM);
  for (const ProcessEnd& logger : loggers) logger.signal(SIGHUP);

  const Deadline deadline(at_most);
  for (const Orphan& orphan : orphans) {
    if (!orphan.supervisor.wait(deadline)) orphan.supervisor.signal(SIGKILL);  // the shim dies with it
  }
  const Deadline after_kill(kAfterKill);
  for (const Orphan& orphan : orphans) {
    if (!orphan.supervisor.wait(after_kill))
      throw Error("a process of an earlier tree does not end: " + orphan.directory.native());
  }
  // A killed shim's sandbox outlives it by a moment. Without its directory it could not be found any more.
  for (const std::string& name : services()) {
    while (is_instance_lock_held(layout_.service(name))) {
      if (after_kill.passed()) throw Error("a process of an earlier tree does not end: " + name);
      std::this_thread::sleep_for(kPause);
    }
  }
  for (const ProcessEnd& logger : loggers) {
    if (!logger.wait(after_kill)) logger.signal(SIGKILL);
  }
  return static_cast<unsigned>(orphans.size());
}

}  // namespace pushrod
