// The daemon's watch over new releases.
#include "serve/watch_thread.hh"

#include <fmt/format.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <system_error>
#include <thread>

#include "base/error.hh"
#include "base/text.hh"
#include "deploy/attempt.hh"
#include "deploy/watcher.hh"
#include "os/command.hh"
#include "serve/own_platform.hh"

namespace pushrod {

namespace {

constexpr Milliseconds kRetry{1'000};  // after a fallback that could not be run
constexpr std::chrono::minutes kLongestFallback{10};

Command fallback_command(const Layout& layout, std::int64_t group) {
  Command command;
  command.argv = {own_program().string(), "--root", layout.root().string(), "fallback", "--group",
                  std::to_string(group)};
  command.deadline = kLongestFallback;
  return command;
}

}  // namespace

WatchThread::WatchThread(const Platform& platform)
    : platform_(platform), calls_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  if (!calls_) throw_errno("make an event descriptor");
  std::thread([this] { run(); }).detach();
}

void WatchThread::call() {
  const std::uint64_t one = 1;
  static_cast<void>(!write(calls_.get(), &one, sizeof one));
}

void WatchThread::run() {
  std::unique_ptr<OwnPlatform> own;
  std::unique_ptr<Watcher> watcher;
  while (true) {
    auto pause = kRetry;
    std::vector<pollfd> events{{calls_.get(), POLLIN, 0}};
    attempt("watching new releases", [&] {
      if (!own) own = std::make_unique<OwnPlatform>(platform_);
      if (!watcher) watcher = std::make_unique<Watcher>(own->platform);
      pause = watcher->pass();
      for (const auto group : watcher->failing()) fall_back(group);
      for (const auto& end : watcher->ends()) events.push_back({end.get(), POLLIN, 0});
    });
    poll(events.data(), events.size(), static_cast<int>(pause.count()));
    std::uint64_t count = 0;
    static_cast<void>(!read(calls_.get(), &count, sizeof count));
  }
}

// In a process of its own, awaited by a thread of its own.
void WatchThread::fall_back(std::int64_t group) {
  {
    const std::lock_guard lock(mutex_);
    if (!falling_.insert(group).second) return;
  }
  const auto work = [this, group] {
    const bool worked = attempt("falling back", [&] {
      const auto result = pushrod::run(fallback_command(platform_.layout, group));
      fmt::print(stderr, "{}", result.err);
      if (!result.ok()) throw Error("the fallback ended with " + result.describe());
    });
    if (!worked) std::this_thread::sleep_for(kRetry);
    {
      const std::lock_guard lock(mutex_);
      falling_.erase(group);
    }
    call();
  };
  try {
    std::thread(work).detach();
  } catch (const std::system_error&) {  // no thread can be made now: the next look tries again
    const std::lock_guard lock(mutex_);
    falling_.erase(group);
    throw;
  }
}

}  // namespace pushrod
