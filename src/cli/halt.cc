// The process in which an app is stopped for the watchdog, which has no database open.
#include "cli/halt.hh"

#include <unistd.h>

#include "base/error.hh"
#include "cli/audited.hh"
#include "cli/change.hh"
#include "os/stop_signal.hh"

namespace pushrod {

int run_halt(const std::filesystem::path& root, const std::string& name, const std::string& reason) {
  const int cancel_fd = stop_signal_fd();
  Context context(root, {});
  const auto app = context.store().app(AppName::parse(name));
  if (!app || !app->live || app->stopped) return kExitOk;
  const auto platform = context.platform();
  auto change = change_of(context, *app, DeploymentKind::Stop);
  change.author = "pushrod";
  change.detail = reason;
  Journal journal(STDERR_FILENO);
  return audited_exit(context, {{app->name.str(), "stop", reason}},
                      [&] { return deploy(platform, change, journal, cancel_fd).live ? kExitOk : kExitRequest; });
}

}  // namespace pushrod
