// The daemon's loop: a pass of the reconciler at each call, or when the time is up; and the tidier and the cron
// beside it.
#include "serve/serve.hh"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "base/error.hh"
#include "deploy/attempt.hh"
#include "deploy/reconcile.hh"
#include "deploy/tidy.hh"
#include "os/file_lock.hh"
#include "os/socket.hh"
#include "serve/own_platform.hh"
#include "serve/sleepers.hh"
#include "serve/timed_thread.hh"
#include "serve/watch_thread.hh"

namespace pushrod {

namespace {

// A thread with a database connection of its own. It is never joined: the daemon is crash-only, and a git that it
// runs ends with it.
class TidierThread {
 public:
  explicit TidierThread(const Platform& platform) : platform_(platform) {
    std::thread([this] { run(); }).detach();
  }

  // There may be something to do.
  void call() {
    {
      const std::lock_guard lock(mutex_);
      called_ = true;
    }
    condition_.notify_one();
  }

 private:
  [[noreturn]] void run() {
    constexpr std::chrono::seconds kRetry{2};
    constexpr std::chrono::seconds kLook{60};  // no event tells when the disk fills
    bool complete = true;
    std::unique_ptr<OwnPlatform> own;
    std::unique_ptr<Tidier> tidier;
    while (true) {
      {
        std::unique_lock lock(mutex_);
        condition_.wait_for(lock, complete ? kLook : kRetry, [this] { return called_; });
        called_ = false;
      }
      attempt("tending the router", [&] { platform_.ingress.tend(); });
      complete = attempt("tidying up",
                         [&] {
                           if (!own) own = std::make_unique<OwnPlatform>(platform_);
                           if (!tidier) tidier = std::make_unique<Tidier>(own->platform);
                           complete = tidier->pass();
                         }) &&
                 complete;
    }
  }

  const Platform& platform_;
  std::mutex mutex_;
  std::condition_variable condition_;
  bool called_ = true;
};

}  // namespace

void serve(const Platform& platform, Watchdog& watchdog, int stop_fd) {
  const auto lock = FileLock::try_acquire(platform.layout.serve_lock());
  if (!lock)
    throw UserError("another daemon already serves this root directory", "`pushrod up` starts the daemon by itself");
  lock->announce("serve");
  const auto calls = bind_datagram(platform.layout.serve_socket());
  start_sleepers(platform);
  Reconciler reconciler(platform);
  static TidierThread tidier(platform);  // as long as the process
  static TimedThread cron(platform, "looking for cron jobs", follow_cron);
  static WatchThread watch(platform);
  static TimedThread backups(platform, "looking for backups that are due", keep_backups);
  static TimedThread disks(platform, "looking at the disk of services", keep_disks_of_services);
  static TimedThread certificates(platform, "looking after certificates", keep_certificates);
  bool called = true;
  while (true) {
    watchdog.begin_pass();
    const auto pause = reconciler.pass(called);
    watchdog.end_pass();
    std::vector<pollfd> events{{calls.get(), POLLIN, 0}, {stop_fd, POLLIN, 0}, {watchdog.end_fd(), POLLIN, 0}};
    for (const auto& process : reconciler.deploying()) events.push_back({process.get(), POLLIN, 0});
    if (poll(events.data(), events.size(), static_cast<int>(pause.count())) < 0 && errno != EINTR) {
      throw_errno("waiting for a call");
    }
    if (events[1].revents != 0) return;
    if (events[2].revents != 0) throw Error("the watchdog has ended");
    called = events[0].revents != 0;
    // A process that was killed at its very end has not called the daemon.
    const bool ended =
        std::any_of(events.begin() + 3, events.end(), [](const pollfd& event) { return event.revents != 0; });
    if (ended) tidier.call();
    if (called) {
      tidier.call();
      cron.call();
      watch.call();
      certificates.call();
      backups.call();
      disks.call();
    }
    // Calls that came in together are one.
    char word[16];
    while (recv(calls.get(), word, sizeof word, MSG_DONTWAIT) >= 0) {
    }
  }
}

}  // namespace pushrod
