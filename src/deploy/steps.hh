// The steps of a deployment, one file each. Private to deploy/.
// Every step records its intent before it acts and acts idempotently; none of them undoes (settle.hh does), and none
// calls deploy().
#pragma once

#include "deploy/run.hh"

namespace pushrod {

void take_turn(Run& run);                        // wait_step.cc: the locks, and what went before
void wake_sleeping(Run& run);                    // wake_step.cc: so that requests find somebody meanwhile
void check_out(Run& run, Part& part);            // checkout_step.cc
void build(Run& run, Part& part);                // build_step.cc: also makes the release
void derive(Run& run, Part& part);               // derive_step.cc: the release from an older one, without a build
void run_release_command(Run& run, Part& part);  // build_step.cc
void start(Run& run);  // start_step.cc: records the releases, starts their instances; these are healthy when it returns
// hold_step.cc: requests for its apps wait from now on, if there are instances that would take them; returns when none
// is in flight, or the drain timeout is over.
void hold_requests(Run& run, const Part& part);
void move_ref(const Run& run);  // commit_step.cc
// rename_step.cc. The new name is free, and no job runs under the old one; paths under the new name lead to the app's
// files.
void begin_rename(Run& run);
// From now on no job begins: it would have a name that ends.
void hold_jobs(Run& run);

}  // namespace pushrod
