// Each thread has a database connection of its own.
// Floor 7.
#include "serve/sleepers.hh"

#include <poll.h>
#include <sys/socket.h>

#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>

#include "base/error.hh"
#include "base/text.hh"
#include "deploy/attempt.hh"
#include "deploy/sleep.hh"
#include "os/socket.hh"
#include "router/router.hh"

namespace pushrod {

namespace {

constexpr Milliseconds kCall{1'000};      // what the router gets to say whom it wants
constexpr Milliseconds kDatabase{1'000};  // until the next look when the database fails

// The platform with a connection for the calling thread alone.
struct OwnPlatform {
  explicit OwnPlatform(const Platform& shared)
      : store(shared.layout.database()), platform{shared.layout, shared.settings, store, shared.engine} {}
  Store store;
  Platform platform;
};

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
  constexpr std::string_view kPrefix = "app.";
  const auto name = trim(text);
  if (!name.starts_with(kPrefix)) return std::nullopt;
  return AppName::parse(std::string(name.substr(kPrefix.size())));
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
      if (!app || !waking.begin(*app)) return;
      std::thread([&platform, name = *app] {
        attempt("waking " + name.str(), [&] { wake(OwnPlatform(platform).platform, name); });
        waking.end(name);
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
