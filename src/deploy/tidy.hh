// The tidier: slow work after deployments that no client waits for.
// Forgets releases beyond the retention, deletes what was discarded, collects garbage in the repos, prepares
// the next checkout of large apps, and makes room when the disk is nearly full. Runs beside the reconciler, so that a
// slow disk never keeps an instance from draining.
#pragma once

#include <map>

#include "deploy/platform.hh"

namespace pushrod {

class Tidier {
 public:
  explicit Tidier(const Platform& platform) : platform_(platform) {}

  // One pass over the apps with a deployment that has ended, well or not, since they were tidied. False when an app
  // could not be tidied because another process works on it: then another pass is due soon. What fails is tried
  // again in the next pass.
  bool pass();

 private:
  bool prune(const App& app);
  void drop_stale_build(const App& app);
  void collect_garbage(const RepoName& repo);
  void make_room();
  void prepare_next_checkout(const App& app);

  const Platform& platform_;
  std::map<AppId, ReleaseNumber> tidied_;  // the newest deployment when an app was tidied last
};

}  // namespace pushrod
