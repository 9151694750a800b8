// A push on its way: from the gate, which becomes git, to the end of pre-receive, when the verdict is out.
// While it is on its way, git reads what a client sends, so it holds one of a few slots of its key, and a
// process beside it ends it when it takes too long. The slot is a kernel lock that git and its children hold, so it is
// free as soon as they are gone.
#pragma once

#include <vector>

#include "model/app.hh"
#include "model/layout.hh"
#include "model/settings.hh"
#include "os/command.hh"

namespace pushrod {

// Takes a slot (waits for one up to 10 s; throws UserError when the key has too many pushes on their way) and starts
// the process that watches over the push of this process, which is about to become git receive-pack. Adds the variables
// for the hooks that EndOfArrival and leave_push_confinement() need, and the one that makes git report its errors to
// the watch. Returns descriptors that git has to inherit.
std::vector<int> begin_arrival(const Layout& layout, const Settings& settings, const Key& key, Environment& for_hooks);

// In pre-receive: its destructor gives back the slot and ends the watch. Nothing without a gate.
class EndOfArrival {
 public:
  EndOfArrival() = default;
  EndOfArrival(const EndOfArrival&) = delete;
  EndOfArrival& operator=(const EndOfArrival&) = delete;
  ~EndOfArrival();
};

// In proc-receive, which is started under the limits of git and goes on to deploy.
void leave_push_confinement();

}  // namespace pushrod
