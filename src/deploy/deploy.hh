// The pipeline: from a change that somebody asks for to instances that serve, whole or not at all (I2).
// deploy.cc names all the steps in order. Any process may call it; the locks (one per app) see to it that one
// deployment at a time changes an app, and are gone with their holder. What a killed deployment leaves is settled
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

// Runs the change to its end. Everything that goes wrong is told to the journal and in the outcome; throws only before
// anything was recorded. cancel_fd becomes readable when somebody wants it to stop (os/stop_signal.hh); that is heeded
// up to the commit point.
Outcome deploy(const Platform& platform, const Change& change, Journal& journal, int cancel_fd);

}  // namespace pushrod
