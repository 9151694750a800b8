// The reconciler: what the database wants, held against what is observed, and the difference carried out.
// Floor 6. Safe to run at any moment and as often as you like; `pushrod serve` runs it in a loop. It settles
// deployments whose process is gone, drains and stops instances that are out of use, starts those that are missing,
// and corrects the router. An app that is being deployed is left alone until its lock is free.
#pragma once

#include "deploy/platform.hh"

namespace pushrod {

class Reconciler {
 public:
  explicit Reconciler(const Platform& platform) : platform_(platform) {}

  // One pass. Returns how long the next one may wait if nobody calls for it: short while something is under way.
  // Something that fails for one app is reported to standard error and does not keep the others from their turn.
  Milliseconds pass();

 private:
  void settle_interrupted();
  void drain_and_stop();
  void remove_strangers();
  void start_missing();
  void correct_routes();

  const Platform& platform_;
  bool busy_ = false;
};

}  // namespace pushrod
