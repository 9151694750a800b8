// Looks twice a second for stopped processes and for connections that sshd does not take, asks HAProxy once a second,
// and looks every two seconds whether everything is supervised.
#include "serve/watchdog.hh"

#include <fmt/format.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <algorithm>
#include <new>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "base/error.hh"
#include "base/text.hh"
#include "deploy/attempt.hh"
#include "engine/local/local_tree.hh"
#include "os/accepting_ports.hh"
#include "os/background.hh"
#include "os/command.hh"
#include "os/process_tree.hh"
#include "serve/guard.hh"

namespace pushrod {

namespace {

constexpr Milliseconds kLook{500};
constexpr Milliseconds kAnswer{3'000};        // of HAProxy, and for sshd to accept a connection
constexpr Milliseconds kLongestPass{60'000};  // of the daemon
constexpr Milliseconds kLate{1'000};          // the machine was busy or asleep: what was seen proves nothing
constexpr Milliseconds kStarting{5'000};      // what was ended is left alone for so long
constexpr unsigned kLooksAtTree = 4;          // every so many looks; s6-svscan takes a second to start what was killed

std::int64_t steady_milliseconds() {
  return std::chrono::duration_cast<Milliseconds>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

// For how long something has been so, look by look.
class Lasting {
 public:
  Milliseconds look(bool is_so) {
    if (!is_so) {
      since_.reset();
    } else if (!since_) {
      since_.emplace();
    }
    return since_ ? since_->elapsed() : Milliseconds{0};
  }
  void forget() { since_.reset(); }

 private:
  std::optional<Stopwatch> since_;
};

class Watch {
 public:
  Watch(const Layout& layout, const Settings& settings, const std::filesystem::path& programs, const Pulse& pulse)
      : settings_(settings), tree_(layout, programs), pulse_(pulse), guard_(layout, own_program()) {}

  [[noreturn]] void run() {
    bool asks_router = false;
    while (true) {
      const Stopwatch slept;
      std::this_thread::sleep_for(kLook);
      if (slept.elapsed() > kLook + kLate) {
        for (Lasting* lasting : {&daemon_stopped_, &sshd_stopped_, &sshd_refuses_, &router_stopped_}) lasting->forget();
        continue;
      }
      look_at_daemon();
      attempt("watching what apps use", [&] { guard_.look(); });
      attempt("watching sshd", [&] { look_at_sshd(); });
      asks_router = !asks_router;
      attempt("watching the router", [&] { look_at_router(asks_router); });
      attempt("watching the supervisors", [&] { look_at_tree(); });
    }
  }

 private:
  void look_at_daemon() {
    const auto busy_since = pulse_.busy_since.load();
    const bool is_stuck = busy_since != 0 && steady_milliseconds() - busy_since > kLongestPass.count();
    const bool is_stopped = daemon_stopped_.look(pushrod::is_stopped(getppid())) >= kLook;
    if (is_stuck || is_stopped) end({getppid()}, "the daemon", is_stopped);
  }

  void look_at_sshd() {
    if (!settings_.ssh_enabled || is_starting(sshd_ended_)) return;
    const auto pid = tree_.pid_of("sshd");
    if (pid == 0) return;
    const bool is_stopped = sshd_stopped_.look(pushrod::is_stopped(pid)) >= kLook;
    const bool refuses = sshd_refuses_.look(connections_waiting_at(settings_.ssh.port) > 0) >= kAnswer;
    if (!is_stopped && !refuses) return;
    end({pid}, "sshd", is_stopped);
    sshd_ended_.emplace();
    sshd_refuses_.forget();
  }

  void look_at_router(bool ask) {
    if (is_starting(router_ended_)) return;
    auto pids = tree_.stopped_of_router();
    const bool is_stopped = router_stopped_.look(!pids.empty()) >= kLook;
    if (!is_stopped) pids = ask ? tree_.silent_of_router(settings_, kAnswer) : std::vector<pid_t>{};
    if (pids.empty()) return;
    end(pids, "the router", is_stopped);
    router_ended_.emplace();
    router_stopped_.forget();
  }

  void look_at_tree() {
    if (++looks_ % kLooksAtTree != 0) return;
    auto unsupervised = tree_.unsupervised();
    std::erase_if(unsupervised_, [&](const auto& name) { return std::ranges::count(unsupervised, name) == 0; });
    if (!unsupervised_.empty()) {
      fmt::print(stderr, "s6-svscan no longer supervises {}; it is told to look again.\n", join(unsupervised_, ", "));
      std::fflush(stderr);
      tree_.start_forgotten();
    }
    unsupervised_ = std::move(unsupervised);
  }

  static bool is_starting(const std::optional<Stopwatch>& ended) { return ended && ended->elapsed() < kStarting; }

  // The children come after their parent in `pids`, which must not see them end first.
  static void end(const std::vector<pid_t>& pids, std::string_view what, bool is_stopped) {
    fmt::print(stderr, "The watchdog ends {}, which {}; s6 starts it again.\n", what,
               is_stopped ? "was stopped by a signal" : "does not answer");
    std::fflush(stderr);
    for (const pid_t pid : pids) kill(pid, SIGKILL);
  }

  const Settings& settings_;
  LocalTree tree_;
  const Pulse& pulse_;
  Guard guard_;
  Lasting daemon_stopped_, sshd_stopped_, sshd_refuses_, router_stopped_;
  std::optional<Stopwatch> sshd_ended_, router_ended_;
  std::vector<std::string> unsupervised_;  // at the last look
  unsigned looks_ = 0;
};

}  // namespace

Watchdog::Watchdog(const Layout& layout, const Settings& settings, const std::filesystem::path& programs,
                   const std::function<void()>& begin) {
  void* memory = mmap(nullptr, sizeof(Pulse), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) throw_errno("share memory with the watchdog");
  pulse_ = new (memory) Pulse;
  end_ = start_copy([&] {
    prctl(PR_SET_NAME, "watchdog");
    begin();
    Watch(layout, settings, programs, *pulse_).run();
  });
}

Watchdog::~Watchdog() { munmap(pulse_, sizeof(Pulse)); }

void Watchdog::begin_pass() { pulse_->busy_since = steady_milliseconds(); }

void Watchdog::end_pass() { pulse_->busy_since = 0; }

}  // namespace pushrod
