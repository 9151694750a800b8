// Changes in processes of their own, for callers that cannot deploy themselves (docs/processes.md): deploy() uses
// signals, and its children end with the thread that started them.
//
//   caller ── submit() ──► `pushrod change` ──► the same program in the background: deploys, audits, writes the log
//      ▲                        │                       │
//      └── Submitted ◄──────────┴───── has begun ◄──────┘
//
// A caller that is killed, at any moment, leaves a change that was never begun, or one that goes on to its end. So does
// the process in between. What the change's own process leaves when it is killed is settled like any other deployment.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "deploy/change.hh"
#include "operate/session.hh"

namespace pushrod {

// What has begun. The deployments tell how it goes on: their rows the state, their logs what a person would read
// (logs/app_logs.hh follows one), request_cancel() ends it.
struct Submitted {
  struct Part {
    AppName app;
    ReleaseNumber deployment = 0;
  };
  std::int64_t group = 0;
  std::vector<Part> parts;  // one for each app of the change
};

// Begins the change, in the name of this caller, whose rights are checked already. Any thread may call it. Throws what
// deploy_audited() would throw before the change has begun, and Error when its process did not begin in time.
Submitted submit(const Layout& layout, const Caller& caller, const Change& change);

// What that process does (`pushrod change`): reads the change from standard input, goes to the background, says on
// standard output how it began, and carries it out. `open` makes the session. Returns the exit code. Only for a process
// with one thread that has no database open.
int run_submitted(const std::function<std::unique_ptr<Session>()>& open);

}  // namespace pushrod
