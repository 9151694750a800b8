// The pipeline: from a change to instances that serve, whole or not at all (I2).
// deploy.cc names all the steps in order. Any process with one thread may call it. The locks (one per app) make sure
// that one deployment at a time changes an app, and end with their holder. A process with several threads calls
// submit() instead (operate/submit.hh). What a killed deployment leaves is settled
// (settle.hh) by the reconciler or by the next deployment of the app.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "deploy/change.hh"
#include "deploy/journal.hh"
#include "deploy/platform.hh"

namespace pushrod {

struct Outcome {
  bool live = false;
  std::string refusal;  // one line, if it is not live
};

// What a caller wants to hear. `recorded` and `live` are called within the transactions that record the deployments and
// that they are live, so that what the caller writes costs no flushes of its own. `begun` is called once other
// processes can see the deployments, cancel them and read their logs.
struct Observer {
  std::function<void()> recorded{}, live{};
  std::function<void(const std::vector<Deployment>&)> begun{};
};

// Runs the change to its end. Failures are reported in the journal and in the outcome; throws only before anything was
// recorded. cancel_fd becomes readable when the deployment is to stop (os/stop_signal.hh), which counts up to the
// commit point.
Outcome deploy(const Platform& platform, const Change& change, Journal& journal, int cancel_fd,
               const Observer& observer = {});

}  // namespace pushrod
