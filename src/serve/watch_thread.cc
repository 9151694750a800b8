// The daemon's watch over new releases.
#include "serve/watch_thread.hh"

#include <fmt/format.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <thread>

#include "base/error.hh"
#include "base/text.hh"
#include "deploy/attempt.hh"
#include "deploy/fallback.hh"
#include "deploy/watcher.hh"
#include "operate/submit.hh"
#include "serve/own_platform.hh"

namespace pushrod {

namespace {

constexpr Milliseconds kRetry{1'000};  // after a look that failed, or a fallback that could not be begun

void fall_back(const Platform& platform, std::int64_t group) {
  std::optional<Change> change;
  try {
    change = fallback_change(platform, group);
  } catch (const UserError& error) {
    fmt::print(stderr, "no fallback is possible: {}\n", escaped(error.message()));
    end_failed_fallback(platform, group);
  }
  if (!change) return;
  for (const auto& part : submit(platform.layout, {}, *change).parts) {
    fmt::print(stderr, "{} falls back: deployment {}\n", part.app.str(), part.deployment);
  }
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
      // The end of a fallback, however it comes, is a call.
      for (const auto group : watcher->failing()) {
        if (!attempt("falling back", [&] { fall_back(own->platform, group); })) pause = std::min(pause, kRetry);
      }
      for (const auto& end : watcher->ends()) events.push_back({end.get(), POLLIN, 0});
    });
    poll(events.data(), events.size(), static_cast<int>(pause.count()));
    std::uint64_t count = 0;
    static_cast<void>(!read(calls_.get(), &count, sizeof count));
  }
}

}  // namespace pushrod
