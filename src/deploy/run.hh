// What a deployment carries from step to step. Private to deploy/.
#pragma once

#include <memory>
#include <vector>

#include "build/builder.hh"
#include "deploy/change.hh"
#include "deploy/journal.hh"
#include "deploy/platform.hh"
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
  std::vector<Part> parts = {};
  std::vector<FileLock> locks = {};          // the group's, then those of its apps
  bool has_turn = false;                     // all of them are held: only then may anything of the apps be touched
  std::optional<AppName> subject = {};       // with several apps: the one whose step this is
  std::unique_ptr<EarlyGit> ref_mover = {};  // from the start step of a push on
};

}  // namespace pushrod
