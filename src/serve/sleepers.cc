// Each thread has a database connection of its own.
#include "serve/sleepers.hh"

#include <poll.h>
#include <sys/socket.h>

#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <utility>

#include "base/error.hh"
#include "base/text.hh"
#include "deploy/attempt.hh"
#include "deploy/sleep.hh"
#include "engine/local/local_ingress.hh"
#include "os/socket.hh"
#include "serve/own_platform.hh"

namespace pushrod {

namespace {

constexpr Milliseconds kCall{1'000};      // what the router gets to say whom it wants
constexpr Milliseconds kDatabase{1'000};  // until the next look when the database fails

// "app.blog\n"; absent when the router does not say it in time.
std::optional<AppName> read_call(int fd) {
  std::string text;
  const Deadline deadline(kCall);
  while (text.find('\n') == text.npos && text.size() < 256) {
    pollfd event{fd, POLLIN, 0};
    if (poll(&event, 1, static_cast<int>(deadline.left().count())) <= 0) return std::nullopt;
    char buffer[128];
    const auto got = recv(fd, buffer, sizeof buffer, MSG_DONTWAIT);
    if (got <= 0) return std::nullopt;
    text.append(buffer, static_cast<std::size_t>(got));
  }
  return app_of_wake_call(text);
}

// Who is being woken: one thread each.
class Waking {
 public:
  bool begin(const AppName& app) {
    const std::lock_guard lock(mutex_);
    return apps_.insert(app).second;
  }
  void end(const AppName& app) {
    const std::lock_guard lock(mutex_);
    apps_.erase(app);
  }

 private:
  std::mutex mutex_;
  std::set<AppName> apps_;
};

// An app's turn to be woken. It ends with the thread that has it, also with one that could not be started.
class Turn {
 public:
  Turn(Waking& waking, const AppName& app) : app_(app), waking_(waking.begin(app) ? &waking : nullptr) {}
  Turn(Turn&& other) noexcept : app_(other.app_), waking_(std::exchange(other.waking_, nullptr)) {}
  Turn& operator=(Turn&&) = delete;
  ~Turn() {
    if (waking_ != nullptr) waking_->end(app_);
  }
  // False: another thread has it.
  bool is_ours() const { return waking_ != nullptr; }
  const AppName& app() const { return app_; }

 private:
  AppName app_;
  Waking* waking_;
};

[[noreturn]] void answer_calls(const Platform& platform, UniqueFd listener) {
  static Waking waking;
  while (true) {
    pollfd event{listener.get(), POLLIN, 0};
    poll(&event, 1, -1);
    const UniqueFd call(accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
    if (!call) {
      std::this_thread::sleep_for(Milliseconds{10});  // out of descriptors, for a moment
      continue;
    }
    attempt("a call to wake an app", [&] {
      const auto app = read_call(call.get());
      if (!app) return;
      Turn turn(waking, *app);
      if (!turn.is_ours()) return;
      std::thread([&platform, turn = std::move(turn)] {
        attempt("waking " + turn.app().str(), [&] { wake(OwnPlatform(platform).platform, turn.app()); });
      }).detach();
    });
  }
}

[[noreturn]] void look_for_idle_apps(const Platform& platform) {
  std::unique_ptr<OwnPlatform> own;
  std::unique_ptr<Sleeper> sleeper;
  while (true) {
    Milliseconds pause = kDatabase;
    attempt("looking for idle apps", [&] {
      if (!own) own = std::make_unique<OwnPlatform>(platform);
      if (!sleeper) sleeper = std::make_unique<Sleeper>(own->platform);
      pause = sleeper->pass();
    });
    std::this_thread::sleep_for(pause);
  }
}

}  // namespace

void start_sleepers(const Platform& platform) {
  std::thread([&platform, listener = listen_unix(platform.layout.wake_socket())]() mutable {
    answer_calls(platform, std::move(listener));
  }).detach();
  std::thread([&platform] { look_for_idle_apps(platform); }).detach();
}

}  // namespace pushrod
