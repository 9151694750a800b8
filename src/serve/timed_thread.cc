// The daemon's cron and certificates.
#include "serve/timed_thread.hh"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <memory>
#include <thread>

#include "base/error.hh"
#include "deploy/attempt.hh"
#include "deploy/backup_clock.hh"
#include "deploy/certificates.hh"
#include "deploy/cron.hh"
#include "serve/own_platform.hh"
#include "services/disk_limits.hh"

namespace pushrod {

namespace {
constexpr int kRetry = 10'000;  // milliseconds
}

TimedThread::TimedThread(const Platform& platform, std::string doing, std::function<Pass(const Platform&)> make)
    : platform_(platform),
      doing_(std::move(doing)),
      make_(std::move(make)),
      calls_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  if (!calls_) throw_errno("make an event descriptor");
  std::thread([this] { run(); }).detach();
}

void TimedThread::call() {
  const std::uint64_t one = 1;
  static_cast<void>(!write(calls_.get(), &one, sizeof one));
}

void TimedThread::run() {
  std::unique_ptr<OwnPlatform> own;
  Pass pass;
  while (true) {
    const bool passed = attempt(doing_, [&] {
      if (!own) own = std::make_unique<OwnPlatform>(platform_);
      if (!pass) pass = make_(own->platform);
      timer_.set(pass(now()));
    });
    pollfd events[] = {{calls_.get(), POLLIN, 0}, {timer_.fd(), POLLIN, 0}};
    poll(events, 2, passed ? -1 : kRetry);
    std::uint64_t count = 0;
    for (const auto& event : events) static_cast<void>(!read(event.fd, &count, sizeof count));
  }
}

TimedThread::Pass follow_cron(const Platform& platform) {
  return [clock = CronClock(platform, [&platform](const JobRequest& request) { start_job(platform, request); })](
             WallTime now) mutable { return clock.pass(now); };
}

TimedThread::Pass keep_backups(const Platform& platform) {
  return [&platform](WallTime now) { return follow_backup_schedules(platform, now); };
}

TimedThread::Pass keep_disks_of_services(const Platform& platform) {
  return [&platform](WallTime now) {
    constexpr std::chrono::seconds kOften{10}, kSeldom{60};  // no event tells when a directory grows
    return now + (keep_disk_limits(platform.services()) ? kOften : kSeldom);
  };
}

TimedThread::Pass keep_certificates(const Platform& platform) {
  return [keeper = CertificateKeeper(platform)](WallTime now) mutable { return keeper.pass(now); };
}

}  // namespace pushrod
