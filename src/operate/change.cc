#include "operate/change.hh"

#include <fmt/format.h>

#include "base/error.hh"
#include "git/repository.hh"

namespace pushrod {

Change change_of(Session& session, const App& app, DeploymentKind kind) {
  const auto head = Repository(session.layout().repo(app.repo)).head_of(app.branch);
  auto commit = head;
  if (app.live && !builds(kind)) commit = session.store().release(app.id, *app.live)->commit;
  return {kind, app.repo, app.branch, {app}, commit, head, session.caller().author()};
}

Outcome deploy_audited(Session& session, const Change& change, Journal& journal, int cancel_fd,
                       const Observer& observer) {
  const auto platform = session.platform();
  platform.engine.check_ready();
  const std::string action(to_string(change.kind));
  std::vector<AuditedChange> parts;
  for (const auto& app : change.apps) {
    parts.push_back({app.name.str(), action, change.detail});
    if (change.new_name) parts.push_back({change.new_name->str(), action, change.detail});
  }
  Outcome outcome;
  audited(session, parts, [&] {
    outcome = deploy(platform, change, journal, cancel_fd, observer);
    return outcome.live ? std::string(kDone) : "failed: " + outcome.refusal;
  });
  return outcome;
}

void require_deployed(const App& app, const std::string& to_do_what) {
  if (app.live) return;
  throw UserError(fmt::format("app {} is not deployed, so there is nothing to {}", app.name.str(), to_do_what),
                  "push to its branch first");
}

}  // namespace pushrod
