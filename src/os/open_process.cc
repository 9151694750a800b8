// pidfd_open(2).
#include "os/open_process.hh"

#include <cerrno>
#include <string>

#include "base/error.hh"
#include "os/pidfd.hh"

namespace pushrod {

UniqueFd open_process(pid_t pid) {
  UniqueFd process(pidfd_open(pid, 0));
  if (!process && errno != ESRCH) throw_errno("open process " + std::to_string(pid));
  return process;
}

}  // namespace pushrod
