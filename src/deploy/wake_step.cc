// Waking what sleeps before it is changed.
// The process that wakes an app for a request waits for the app's lock, which a deployment holds through its build; and
// a request waits for at most half a minute. So the old release is up during the deployment.
#include <fmt/format.h>

#include "base/error.hh"
#include "base/text.hh"
#include "deploy/control.hh"
#include "deploy/sleep.hh"
#include "deploy/steps.hh"

namespace pushrod {

namespace {

// What leaves the web type alone is done in no time.
bool changes_web(const Change& change) {
  const auto web = ProcessType::parse("web");
  if (change.only) return *change.only == web;
  return change.counts.empty() || change.counts.contains(web);
}

}  // namespace

void wake_sleeping(Run& run) {
  if (!rules_of(run.change.kind).wakes || !changes_web(run.change)) return;
  for (const auto& part : run.parts) {
    if (!sleeps(run.platform, part.app)) continue;
    run.journal.begin(fmt::format("Waking {}", part.app.name.str()), fmt::format("waking {}", part.app.name.str()));
    try {
      if (const auto failure = wake_locked(run.platform, part.app, run.cancel_fd)) {
        throw UserError(fmt::format("{} {}", failure->name.str(), failure->reason));
      }
      run.journal.end();
    } catch (const Error& error) {
      // The change may be what mends it.
      check_cancelled(run.cancel_fd);
      run.journal.abandon();
      run.journal.line(fmt::format("{} answers no requests until the deployment is done: {}", part.app.name.str(),
                                   escaped(error.message())));
    }
  }
}

}  // namespace pushrod
