// The thread behind the lines that a silent step prints.
#include "deploy/heartbeat.hh"

#include <utility>

namespace pushrod {

Heartbeat::Heartbeat(std::mutex& lock, Milliseconds interval, std::function<void()> beat)
    : lock_(lock), interval_(interval), beat_(std::move(beat)) {}

Heartbeat::~Heartbeat() {
  if (!thread_.joinable()) return;
  {
    const std::lock_guard guard(lock_);
    stops_ = true;
  }
  changed_.notify_one();
  thread_.join();
}

void Heartbeat::begin() {
  rest();
  next_ = std::chrono::steady_clock::now() + interval_;
  if (!thread_.joinable()) {
    thread_ = std::thread([this] { run(); });
  } else {
    changed_.notify_one();
  }
}

// The thread need not hear of it: it looks again when it wakes.
void Heartbeat::rest() {
  if (next_) next_ = std::chrono::steady_clock::now() + interval_;
}

void Heartbeat::end() { next_.reset(); }

void Heartbeat::run() {
  std::unique_lock guard(lock_);
  while (!stops_) {
    if (!next_) {
      changed_.wait(guard);
      continue;
    }
    const auto until = *next_;
    changed_.wait_until(guard, until);
    if (stops_ || !next_ || std::chrono::steady_clock::now() < *next_) continue;
    beat_();
    rest();
  }
}

}  // namespace pushrod
