// The steps of a deployment, one file each. Private to deploy/.
// Every step records its intent before it acts and acts idempotently; none of them undoes (deploy.cc does).
#pragma once

#include <memory>
#include <vector>

#include "build/builder.hh"
#include "deploy/deploy.hh"
#include "git/early_git.hh"
#include "git/repository.hh"
#include "os/file_lock.hh"

namespace pushrod {

// One app within a deployment, growing as the steps go on.
struct Part {
  App app;
  Deployment deployment;
  Checkout checkout;                           // from the checkout step on; of an older release if that runs again
  BuildPlan plan;                              // from the build step on
  std::optional<std::string> release_command;  // from the build step on
  bool hold_for_release = false;               // from the build step on
  WritablePaths known_writable;                // from the build step on: what its framework needs
  std::optional<Release> release;              // from the build step on
  std::vector<InstanceName> kept;              // instances of the live release that go on
  std::vector<InstancePlan> instances;         // from the start step on: the new ones
};

struct Run {
  const Platform& platform;
  const Change& change;
  Journal& journal;
  int cancel_fd;
  Repository repository;
  std::int64_t group = 0;
  std::vector<Part> parts;
  std::vector<FileLock> locks;               // the group's, then those of its apps
  bool has_turn = false;                     // all of them are held: only then may anything of the apps be touched
  std::optional<AppName> subject = {};       // with several apps: the one whose step this is
  std::unique_ptr<EarlyGit> ref_mover = {};  // from the start step of a push on
};

// "blog" or "blog, blog-admin".
std::string names_of(const Run& run);
// With several apps: what is said from now on is about this one (absent: about all of them).
void speak_of(Run& run, const std::optional<AppName>& app);
bool is_cancelled(const Run& run);
// Throws UserError when somebody asked for it.
void check_cancelled(const Run& run);

void take_turn(Run& run);                             // wait_step.cc: the locks, and what went before
void wake_sleeping(Run& run);                         // wake_step.cc: so that requests find somebody meanwhile
void check_out(Run& run, Part& part);                 // checkout_step.cc
void build(Run& run, Part& part);                     // build_step.cc: also makes the release
void derive(Run& run, Part& part);                    // derive_step.cc: the release from an older one, without a build
void hide_secrets(Run& run, const Release& release);  // build_step.cc: from what the journal shows
void run_release_command(Run& run, Part& part);       // build_step.cc
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
