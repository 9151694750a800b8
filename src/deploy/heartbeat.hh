// Calls a function when nothing has happened for a while: how a long, silent step says that it still runs. A thread of
// its own sleeps until then, so that it works whatever the step waits for.
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>

#include "os/clock.hh"

namespace pushrod {

class Heartbeat {
 public:
  // `lock` guards what `beat` uses; `beat` is called with it held, every `interval` after the last rest() or beat.
  Heartbeat(std::mutex& lock, Milliseconds interval, std::function<void()> beat);
  Heartbeat(const Heartbeat&) = delete;
  Heartbeat& operator=(const Heartbeat&) = delete;
  ~Heartbeat();

  // These are called with the lock held.
  void begin();  // from now on; starts the thread when it is called first
  void rest();   // something has happened: the interval begins again
  void end();

 private:
  void run();

  std::mutex& lock_;
  Milliseconds interval_;
  std::function<void()> beat_;
  std::condition_variable changed_;
  std::optional<std::chrono::steady_clock::time_point> next_;  // absent: nothing to do
  bool stops_ = false;
  std::thread thread_;
};

}  // namespace pushrod
