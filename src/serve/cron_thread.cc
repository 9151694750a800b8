// The daemon's cron.
#include "serve/cron_thread.hh"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <memory>
#include <thread>

#include "base/error.hh"
#include "deploy/attempt.hh"
#include "deploy/cron.hh"
#include "serve/own_platform.hh"

namespace pushrod {

namespace {
constexpr int kRetry = 10'000;  // milliseconds
}

CronThread::CronThread(const Platform& platform) : platform_(platform), calls_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  if (!calls_) throw_errno("make an event descriptor");
  std::thread([this] { run(); }).detach();
}

void CronThread::call() {
  const std::uint64_t one = 1;
  static_cast<void>(!write(calls_.get(), &one, sizeof one));
}

void CronThread::run() {
  std::unique_ptr<OwnPlatform> own;
  while (true) {
    const bool passed = attempt("looking for cron jobs", [&] {
      if (!own) own = std::make_unique<OwnPlatform>(platform_);
      CronClock clock(own->platform, [&](const JobRequest& request) { start_job(own->platform, request); });
      timer_.set(clock.pass(now()));
    });
    pollfd events[] = {{calls_.get(), POLLIN, 0}, {timer_.fd(), POLLIN, 0}};
    poll(events, 2, passed ? -1 : kRetry);
    std::uint64_t count = 0;
    for (const auto& event : events) static_cast<void>(!read(event.fd, &count, sizeof count));
  }
}

}  // namespace pushrod
