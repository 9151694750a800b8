// What a deployment carries from step to step. Private to deploy/.
#pragma once

#include <optional>
#include <vector>

#include "deploy/deploy.hh"
#include "deploy/journal.hh"
#include "deploy/platform.hh"
#include "git/repository.hh"
#include "os/file_lock.hh"

namespace pushrod {

// One app within a deployment.
struct Part {
  App app;
  Deployment deployment;
};

struct Run {
  const Platform& platform;
  const Change& change;
  Journal& journal;
  int cancel_fd;
  const Observer& observer;
  Repository repository;
  std::int64_t group = 0;
  std::vector<Part> parts = {};
  std::vector<FileLock> locks = {};     // the group's, then those of its apps
  bool has_turn = false;                // all of them are held: only then may anything of the apps be touched
  std::optional<AppName> subject = {};  // with several apps: the one whose step this is
};

}  // namespace pushrod
