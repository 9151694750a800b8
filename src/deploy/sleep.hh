// Idle apps are put to sleep, and woken by the next request.
// An app sleeps when its web instances are Asleep: their rows keep the ports, their processes are stopped, and
// the router holds what comes for them. Other process types go on.
//
// All follows from the rows: instances that are Asleep and up (a process was killed while it put them to sleep or woke
// them) are stopped, or serve again if they have requests; a request that is held calls again.
#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <set>
#include <vector>

#include "deploy/platform.hh"

namespace pushrod {

// What decides whether an app may sleep.
struct IdleApp {
  Milliseconds sleep_after{0};
  Milliseconds idle{0};   // since a request, a start, or the first look
  unsigned open = 0;      // requests and connections
  bool changing = false;  // a deployment of it is unfinished
};
bool is_to_sleep(const IdleApp& app);

class Sleeper {
 public:
  explicit Sleeper(const Platform& platform) : platform_(platform) {}

  // Puts to sleep what has been idle for long enough. Returns when the next look is due.
  Milliseconds pass();

 private:
  Milliseconds idle_time(const AppName& app, const std::vector<Instance>& web, const Idleness& idleness);
  void settle();
  void settle(const App& app, const std::set<InstanceName>& up);

  const Platform& platform_;
  struct Awake {
    std::vector<InstanceName> web;
    std::chrono::steady_clock::time_point last_request;
  };
  std::map<AppName, Awake> awake_;
};

bool sleeps(const Platform& platform, const App& app);

// Starts the app's sleeping instances and, when they are healthy (or cannot become so: then it is down as an app that
// crashes is, and this returns why), lets the requests that wait go to them. The caller holds the app's lock.
// cancel_fd: gives up when readable (throws Cancelled).
std::optional<HealthFailure> wake_locked(const Platform& platform, const App& app, int cancel_fd);

// The same for a caller that does not hold the lock: waits for it. Does nothing for an app that is awake.
void wake(const Platform& platform, const AppName& app);

}  // namespace pushrod
