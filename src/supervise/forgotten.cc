// Starts what s6-svscan has forgotten.
//
// It starts an s6-supervise at most once a second, and in the versions 2.12 to 2.15 forgets one in two cases until
// something else calls it (src/supervision/s6-svscan.c, start() and scan()): when another one was started during that
// second, and when its link was gone at a look meanwhile and came back. A service that it has not seen before calls it:
// then it starts all that are missing.
#include <thread>

#include "base/error.hh"
#include "os/file_lock.hh"
#include "os/files.hh"
#include "supervise/remains.hh"
#include "supervise/s6_state.hh"
#include "supervise/s6_tool.hh"
#include "supervise/service_directory.hh"
#include "supervise/supervise.hh"

namespace pushrod {

namespace {

constexpr const char* kNewcomer = "newcomer";
constexpr Milliseconds kStart{5'000};
constexpr Milliseconds kPause{20};

}  // namespace

std::vector<std::string> Supervisor::unsupervised() const {
  std::vector<std::string> found;
  for (const std::string& name : services()) {
    if (!is_linked(name)) continue;
    const fs::path directory = layout_.service(name);
    if (supervisor_of(directory) && (!is_directory(directory / "log") || supervisor_of(directory / "log"))) continue;
    found.push_back(name);
  }
  return found;
}

void Supervisor::start_forgotten() const {
  const auto lock = FileLock::try_acquire(layout_.newcomer_lock());
  if (!lock) return;
  const fs::path directory = layout_.service(kNewcomer);
  const fs::path fresh = unfinished_service(layout_, kNewcomer);
  remove_tree(fresh);
  make_directory(fresh);
  write_file(fresh / kDownFile, "", 0600, false);
  remove_tree(directory);  // a killed call has left it. Later, so that the new one has another inode.
  if (rename(fresh.c_str(), directory.c_str()) != 0) throw_errno("rename " + fresh.native());
  link_to(layout_.scan() / kNewcomer, directory);
  run_s6_tool({"s6-svscanctl", "-a", layout_.scan().native()});
  const Deadline deadline(kStart);
  while (!supervisor_of(directory) && !deadline.passed()) std::this_thread::sleep_for(kPause);
  remove({kNewcomer});
}

}  // namespace pushrod
