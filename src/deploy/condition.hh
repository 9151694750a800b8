// How an app is now, as a request would find it: what lists, `app check` and every other view agree on.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "deploy/platform.hh"

namespace pushrod {

struct AppCondition {
  // "not deployed", "stopped", "asleep", "running", "degraded" (some instances do not work), "starting", "crashing" or
  // "down" (a process type of which no instance works).
  std::string state;
  // What becomes of a request: "served", "unavailable", "stopped", "maintenance", "held", "asleep".
  std::string traffic;
  std::vector<InstanceCondition> instances;  // those that are to serve

  // Do requests get an answer from the app (now, or after it has woken up), and does every process type work? An app
  // without a web type is judged by its other types alone.
  bool works() const;
  unsigned running() const;
};

// Of all apps at once; by name, as Store::apps(). Costs some 0.1 ms per instance.
std::map<AppName, AppCondition> conditions_of_apps(const Platform& platform);
AppCondition condition_of(const Platform& platform, const App& app);

// "web.1 is crashing, next start in 4 s": one line for each instance that does not work.
std::vector<std::string> problems_of(const AppCondition& condition);

// "release 12 kept ending (shop.12.web.1 ended with exit code 1), so Pushrod fell back to release 11 …", when what the
// app runs now is the result of a fallback; empty otherwise. For the next pusher.
std::string fallback_note(const Platform& platform, const App& app);

}  // namespace pushrod
