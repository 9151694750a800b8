// Takes services out of the tree, no matter which of their processes died before.
//
// A service consists of a link in run/scan, an s6-supervise, another one for the logger, and the directory. s6-svscan
// keeps the pipe between the two. When the first s6-supervise has died before its link is removed, s6-svscan never
// closes that pipe (2.11 to 2.13): the logger, which ends at the end of its input, would run without an end.
#include <cerrno>
#include <csignal>
#include <cstdio>

#include "base/error.hh"
#include "base/text.hh"
#include "os/files.hh"
#include "supervise/process_end.hh"
#include "supervise/remains.hh"
#include "supervise/s6_state.hh"
#include "supervise/s6_tool.hh"
#include "supervise/supervise.hh"

namespace pushrod {

namespace {

constexpr Milliseconds kSupervisorEnd{5'000};  // what s6-supervise gets to end once its service is down
constexpr Milliseconds kLoggerEnd{1'000};      // what a logger gets to end once its service's s6-supervise has
constexpr Milliseconds kAfterKill{5'000};

struct Remains {
  std::string name;
  std::vector<ProcessEnd> supervisor, logger;  // each one or none
};

std::vector<ProcessEnd> process_that_supervises(const fs::path& directory) {
  std::vector<ProcessEnd> process;
  if (const auto pid = supervisor_of(directory)) process.emplace_back(*pid);
  return process;
}

}  // namespace

fs::path unfinished_service(const Layout& layout, const std::string& name) { return layout.service("." + name); }

void discard_service(const Layout& layout, const std::string& name) {
  const fs::path directory = layout.service(name);
  const fs::path aside = layout.service(".gone." + name);
  remove_tree(aside);
  if (rename(directory.c_str(), aside.c_str()) != 0 && errno != ENOENT) throw_errno("rename " + directory.native());
  remove_tree(aside);
}

void end_logger(const fs::path& service_directory) {
  const auto logger = process_that_supervises(service_directory / "log");
  if (logger.empty()) return;
  await_logged(service_directory, kLoggerEnd);
  logger.front().signal(SIGKILL);  // s6-log dies with it
  if (!logger.front().wait(Deadline(kAfterKill))) {
    throw Error("the logger of service " + quoted(service_directory.filename().native()) + " does not end");
  }
}

std::vector<std::string> Supervisor::remove(const std::vector<std::string>& names) const {
  std::vector<std::string> left;
  std::vector<Remains> ending;
  bool any_process = false;
  for (const std::string& name : names) {
    const fs::path directory = layout_.service(name);
    const ServiceStatus observed = status(name);
    if (observed.up || (observed.supervised && observed.wanted_up)) {
      left.push_back(name);
      continue;
    }
    ending.push_back({name, process_that_supervises(directory), process_that_supervises(directory / "log")});
    any_process = any_process || !ending.back().supervisor.empty() || !ending.back().logger.empty();
    remove_file(layout_.scan() / name);
  }
  if (any_process && is_running()) {
    // -a: look again, -n: end the supervisors whose links are gone.
    run_s6_tool({"s6-svscanctl", "-an", layout_.scan().native()});
  } else if (any_process) {
    // Without s6-svscan, send what it would send (see end_orphans()).
    for (const Remains& service : ending) {
      for (const ProcessEnd& supervisor : service.supervisor) supervisor.signal(SIGTERM);
      for (const ProcessEnd& logger : service.logger) logger.signal(SIGHUP);
    }
  }
  const Deadline supervisors_end(kSupervisorEnd);
  for (const Remains& service : ending) {
    for (const ProcessEnd& supervisor : service.supervisor) supervisor.wait(supervisors_end);
  }
  const Deadline loggers_end(kLoggerEnd);
  for (const Remains& service : ending) {
    const fs::path directory = layout_.service(service.name);
    for (const ProcessEnd& logger : service.logger) {
      if (!logger.wait(loggers_end) && !supervisor_of(directory)) end_logger(directory);
    }
    if (supervisor_of(directory) || supervisor_of(directory / "log") || is_instance_lock_held(directory)) {
      left.push_back(service.name);
    } else {
      discard_service(layout_, service.name);
      remove_tree(unfinished_service(layout_, service.name));
    }
  }
  return left;
}

}  // namespace pushrod
