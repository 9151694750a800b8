// The pipeline: from a change to instances that serve, whole or not at all (I2).
// deploy.cc names all the steps in order. Any process with one thread may call it. The locks (one per app) make sure
// that one deployment at a time changes an app, and end with their holder. What a killed deployment leaves is settled
// (settle.hh) by the reconciler or by the next deployment of the app.
#pragma once

#include <string>

#include "deploy/change.hh"
#include "deploy/journal.hh"
#include "deploy/platform.hh"

namespace pushrod {

struct Outcome {
  bool live = false;
  std::string refusal;  // one line, if it is not live
};

// Runs the change to its end. Failures are reported in the journal and in the outcome; throws only before anything was
// recorded. cancel_fd becomes readable when the deployment is to stop (os/stop_signal.hh), which counts up to the
// commit point.
Outcome deploy(const Platform& platform, const Change& change, Journal& journal, int cancel_fd);

}  // namespace pushrod
