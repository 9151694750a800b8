// Asking for a change of an app.
#include "cli/change.hh"

#include <fmt/format.h>
#include <unistd.h>

#include "base/error.hh"
#include "cli/audited.hh"
#include "cli/output.hh"
#include "git/repository.hh"
#include "os/stop_signal.hh"

namespace pushrod {

Change change_of(Context& context, const App& app, DeploymentKind kind) {
  const auto head = Repository(context.layout().repo(app.repo)).head_of(app.branch);
  auto commit = head;
  if (app.live && kind != DeploymentKind::Redeploy) commit = context.store().release(app.id, *app.live)->commit;
  return {kind, app.repo, app.branch, {app}, commit, head, context.caller().author()};
}

int run_change(Context& context, const Change& change) {
  const auto platform = context.platform();
  platform.engine.check_ready();
  if (context.caller().is_remote()) outlive_client();
  const int cancel_fd = stop_signal_fd();
  Journal journal(STDOUT_FILENO, is_terminal(STDOUT_FILENO));
  std::vector<AuditedChange> parts;
  for (const auto& app : change.apps) {
    parts.push_back({app.name.str(), std::string(to_string(change.kind)), change.detail});
    if (change.new_name) parts.push_back({change.new_name->str(), std::string(to_string(change.kind)), change.detail});
  }
  return audited(context, parts,
                 [&] { return deploy(platform, change, journal, cancel_fd).live ? kExitOk : kExitRequest; });
}

std::string shown_state(const App& app, const Deployment& deployment) {
  const bool is_past = deployment.state == DeploymentState::Live && app.live != deployment.number;
  return is_past ? "done" : std::string(to_string(deployment.state));
}

void require_deployed(const App& app, const std::string& to_do_what) {
  if (app.live) return;
  throw UserError(fmt::format("app {} is not deployed, so there is nothing to {}", app.name.str(), to_do_what),
                  "push to its branch first");
}

}  // namespace pushrod
