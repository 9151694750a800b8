// The master replaces itself, reads the file, forks a new worker and tells the old ones to stop.
#include "router/reload.hh"

#include <thread>

#include "base/error.hh"

namespace pushrod {

namespace {

// Only idle connections of an old worker are left to it, and those it hands on to the new one (README.md).
bool has_stopped(const MasterSocket& master, pid_t old_worker) {
  const auto answer = master.ask(old_worker, "show info");
  return !answer || parse_info(*answer).stopping;
}

bool is_loaded(const MasterSocket& master, const Processes& processes, const std::string& mark) {
  const auto info = master.ask_current("show info");
  if (!info || parse_info(*info).description != mark) return false;
  for (const pid_t worker : processes.old_workers) {
    if (!has_stopped(master, worker)) return false;
  }
  return true;
}

}  // namespace

void reload_into(const MasterSocket& master, const std::string& mark, const std::filesystem::path& log) {
  const auto before = master.processes();
  if (!before) return;
  master.reload();
  const Deadline deadline(Milliseconds{30'000});
  while (!deadline.passed()) {
    const auto processes = master.processes();
    if (!processes) return;  // it has ended: it will start with the new file
    if (processes->failed_reloads > before->failed_reloads) {
      throw Error("HAProxy could not load its new configuration and keeps the old one",
                  "see its log (" + log.string() + "): the listen address may be in use");
    }
    if (is_loaded(master, *processes, mark)) return;
    // No event tells how far a worker is.
    std::this_thread::sleep_for(Milliseconds{2});
  }
  throw Error("HAProxy has not loaded its new configuration within 30 s", "see its log (" + log.string() + ")");
}

}  // namespace pushrod
