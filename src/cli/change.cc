#include "cli/change.hh"

#include <unistd.h>

#include "base/error.hh"
#include "cli/output.hh"
#include "os/stop_signal.hh"

namespace pushrod {

int run_change(Context& context, const Change& change) {
  context.engine().check_ready();
  if (context.caller().is_remote()) outlive_client();
  const int cancel_fd = stop_signal_fd();
  Journal journal(STDOUT_FILENO, is_terminal(STDOUT_FILENO));
  return deploy_audited(context, change, journal, cancel_fd).live ? kExitOk : kExitRequest;
}

std::string shown_state(const DeploymentView& view) {
  const auto state = view.deployment.state;
  return state == DeploymentState::Live && !view.is_current ? "done" : std::string(to_string(state));
}

}  // namespace pushrod
