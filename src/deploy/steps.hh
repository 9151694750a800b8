// The steps of a deployment, one file each. Private to deploy/.
// Every step records its intent before it acts and acts idempotently, and returns what the next one takes. None of them
// undoes (settle.hh does), and none calls deploy().
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "build/builder.hh"
#include "deploy/planned_release.hh"
#include "deploy/run.hh"
#include "engine/engine.hh"
#include "git/early_git.hh"

namespace pushrod {

// What an app is to run from now on.
struct NewRelease {
  Release release;
  std::vector<InstanceName> kept{};  // instances that go on with it
};
// Those that have none are to run nothing.
using NewReleases = std::map<AppId, NewRelease>;

// A release that is built, and what its release command needs besides.
struct Built {
  Release release;
  Checkout checkout;
  std::optional<std::string> release_command;
  bool holds_requests = false;  // while the command runs
  bool takes_snapshot = false;  // before it runs
};

struct Started {
  std::vector<InstancePlan> instances{};
  std::unique_ptr<EarlyGit> ref_mover{};  // ready to move the ref, if the change advances it and instances started
};

void take_turn(Run& run);      // wait_step.cc: the locks, and what went before
void wake_sleeping(Run& run);  // wake_step.cc: so that the old release serves while the new one is made

Checkout check_out(Run& run, const Part& part);                            // checkout_step.cc
Built build(Run& run, const Part& part, const Checkout& checkout);         // build_step.cc
void take_snapshot(Run& run, const Part& part, const Built& built);        // snapshot_step.cc
void run_release_command(Run& run, const Part& part, const Built& built);  // build_step.cc
NewRelease derive(Run& run, const Part& part);  // derive_step.cc: from an older release, without a build

// service_step.cc: creates and attaches the services that the app's files declare; the release gets their settings.
void provide_services(Run& run, const Part& part, PlannedRelease& planned);
// What attaching or detaching, if the change asks for that, makes of the app's settings.
SettingChanges change_service(const Run& run, const Part& part);

// start_step.cc: records the releases, starts their instances; these are healthy when it returns.
Started start(Run& run, const NewReleases& releases);
// hold_step.cc: requests for its apps wait from now on, if there are instances that would take them; returns when none
// is in flight, or the drain timeout is over.
void hold_requests(Run& run, const Part& part);
// All that may write to /data and databases: returns when requests wait, jobs have ended and none begins, and no
// instance of the app runs. Throws UserError when a job goes on.
void end_writers(Run& run, const Part& part);

// exchange_step.cc: what the change brings takes the place of /data and databases. Requests wait (or get 503 after a
// while) from now on, and no instance of the app runs. Does nothing for changes without data.
void exchange_data(Run& run);

void move_ref(const Run& run, EarlyGit* mover);  // commit_step.cc

// rename_step.cc. The new name is free, and no job runs under the old one; paths under the new name lead to the app's
// files.
void begin_rename(Run& run);
// From now on no job begins: it would have a name that ends.
void hold_jobs(Run& run);

}  // namespace pushrod
