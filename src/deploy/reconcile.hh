// The reconciler: what the database wants, held against what is observed, and the difference carried out.
// Safe to run at any moment and as often as you like; `pushrod serve` runs it in a loop. It settles
// deployments whose process is gone, drains and stops instances that are out of use, starts those that are missing,
// and corrects the router. An app that is being deployed is left alone until its lock is free.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "deploy/platform.hh"
#include "os/clock.hh"
#include "os/unique_fd.hh"

namespace pushrod {

class Reconciler {
 public:
  explicit Reconciler(const Platform& platform) : platform_(platform) {}

  // One pass. Returns how long the next one may wait without a call: a short time while something is in progress.
  // Something that fails for one app is reported to standard error, does not keep the others from their turn, and is
  // tried again after a pause that doubles each time, or at once when the pass was `called` for.
  Milliseconds pass(bool called = false);

  // The processes whose deployments are not finished, as pidfds: the end of one calls for a pass.
  const std::vector<UniqueFd>& deploying() const { return deploying_; }

 private:
  struct Failure {
    Milliseconds pause;
    Deadline again;
    bool matters = true;  // it was to be done in this pass, too
  };
  // In which state an instance is, and since when as we have seen it: the machine's clock may be set, and nothing is to
  // end early or late because of that.
  struct Seen {
    InstanceState state;
    Stopwatch time;
  };

  void tend(const std::string& doing, const std::function<void()>& action);
  void settle_interrupted();
  void settle_group(const std::vector<Deployment>& group);
  std::vector<Instance> leaving_instances();
  void drain_and_stop();
  void drain(const Instance& instance, unsigned requests);
  void end(const Instance& instance);
  Process process_of(const Instance& instance);
  void remove_strangers();
  void start_missing();
  void correct_routes();

  const Platform& platform_;
  bool busy_ = false;
  std::map<std::string, Failure> failures_;  // by what was being done
  std::map<InstanceName, Seen> leaving_;
  std::vector<UniqueFd> deploying_;
};

}  // namespace pushrod
