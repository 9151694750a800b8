// The process in which an app is stopped for the watchdog, which has no database open.
#include "cli/halt.hh"

#include <unistd.h>

#include "base/error.hh"
#include "operate/change.hh"
#include "os/stop_signal.hh"
#include "tree/context.hh"

namespace pushrod {

int run_halt(const std::filesystem::path& root, const std::string& name, const std::string& reason) {
  const int cancel_fd = stop_signal_fd();
  Context context(root, {});
  const auto app = context.store().app(AppName::parse(name));
  if (!app || !app->live || app->stopped) return kExitOk;
  auto change = change_of(context, *app, DeploymentKind::Stop);
  change.author = "pushrod";
  change.detail = reason;
  Journal journal(STDERR_FILENO);
  return deploy_audited(context, change, journal, cancel_fd).live ? kExitOk : kExitRequest;
}

}  // namespace pushrod
