// A real HAProxy on a free port of the loopback, small apps behind it, and a client that sees every byte.
#pragma once

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <condition_variable>
#include <csignal>
#include <cstdlib>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>

#include "../eventually.hh"
#include "base/text.hh"
#include "os/clock.hh"
#include "os/files.hh"
#include "os/socket.hh"
#include "router/listeners.hh"
#include "router/master_socket.hh"
#include "router/router.hh"

namespace pushrod {

inline sockaddr_in loopback_address(Port port, const char* host = "127.0.0.1") {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  inet_pton(AF_INET, host, &address.sin_addr);
  return address;
}

// A listening socket, on a free port if none is given.
inline std::pair<UniqueFd, Port> listen_anywhere(Port port = 0) {
  UniqueFd fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const int on = 1;
  setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  auto address = loopback_address(port);
  socklen_t length = sizeof address;
  if (bind(fd.get(), reinterpret_cast<sockaddr*>(&address), length) != 0 || listen(fd.get(), 128) != 0 ||
      getsockname(fd.get(), reinterpret_cast<sockaddr*>(&address), &length) != 0) {
    throw std::runtime_error("no free port");
  }
  return {std::move(fd), ntohs(address.sin_port)};
}

struct Response {
  int status = 0;  // 0: the connection ended first
  std::string head;
  std::string body;

  bool has(const std::string& header_line) const { return head.find("\r\n" + header_line + "\r\n") != head.npos; }
};

// One client connection.
class Connection {
 public:
  explicit Connection(Port port, const char* from = "127.0.0.1") : fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    const timeval timeout{20, 0};
    setsockopt(fd_.get(), SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout);
    const auto own = loopback_address(0, from);
    const auto peer = loopback_address(port);
    is_connected_ = bind(fd_.get(), reinterpret_cast<const sockaddr*>(&own), sizeof own) == 0 &&
                    connect(fd_.get(), reinterpret_cast<const sockaddr*>(&peer), sizeof peer) == 0;
  }
  bool is_connected() const { return is_connected_; }

  void send_text(const std::string& text) { send(fd_.get(), text.data(), text.size(), MSG_NOSIGNAL); }
  // Reads until `what` has come; what came until then, or until the end.
  std::string read_until(const std::string& what) {
    while (buffer_.find(what) == buffer_.npos && receive()) {
    }
    const auto found = buffer_.find(what);
    return take(found == buffer_.npos ? buffer_.size() : found + what.size());
  }
  Response read_response(bool has_body = true) {
    Response response;
    response.head = read_until("\r\n\r\n");
    if (!response.head.starts_with("HTTP/1.1 ") || !response.head.ends_with("\r\n\r\n")) return {0, response.head, ""};
    response.status = std::atoi(response.head.c_str() + 9);
    const auto at = response.head.find("ontent-length: ") == std::string::npos ? response.head.find("ontent-Length: ")
                                                                               : response.head.find("ontent-length: ");
    if (!has_body || at == std::string::npos) return response;
    const auto size = static_cast<std::size_t>(std::atoi(response.head.c_str() + at + 15));
    while (buffer_.size() < size && receive()) {
    }
    if (buffer_.size() < size) return {0, response.head, take(buffer_.size())};
    response.body = take(size);
    return response;
  }
  Response get(const std::string& host, const std::string& path = "/", const std::string& headers = {}) {
    send_text(fmt::format("GET {} HTTP/1.1\r\nHost: {}\r\n{}\r\n", path, host, headers));
    return read_response();
  }

 private:
  bool receive() {
    char chunk[4096];
    const auto got = recv(fd_.get(), chunk, sizeof chunk, 0);
    if (got > 0) buffer_.append(chunk, static_cast<std::size_t>(got));
    return got > 0;
  }
  std::string take(std::size_t size) {
    auto taken = buffer_.substr(0, size);
    buffer_.erase(0, size);
    return taken;
  }
  UniqueFd fd_;
  bool is_connected_ = false;
  std::string buffer_;
};

// An app: answers with its name; /echo with the request's head; /header-of-N with a header of so many bytes; /text with
// a text; /hold after release(); /events with an event before and one after release(); an upgraded connection gets back
// what it sends.
class AppServer {
 public:
  explicit AppServer(std::string name) : name_(std::move(name)) {
    std::tie(listener_, port_) = listen_anywhere();
    acceptor_ = std::thread([this] { accept_all(); });
  }
  AppServer(const AppServer&) = delete;
  AppServer& operator=(const AppServer&) = delete;
  ~AppServer() {
    release();
    shutdown(listener_.get(), SHUT_RDWR);
    acceptor_.join();
    {
      const std::lock_guard lock(mutex_);
      for (const int fd : open_) shutdown(fd, SHUT_RDWR);
    }
    for (auto& worker : workers_) worker.join();
  }

  const std::string& name() const { return name_; }
  Port port() const { return port_; }
  unsigned requests() const { return requests_; }
  void release() {
    const std::lock_guard lock(mutex_);
    is_released_ = true;
    released_.notify_all();
  }

 private:
  void accept_all() {
    while (true) {
      const int fd = accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC);
      if (fd < 0) return;
      const std::lock_guard lock(mutex_);
      open_.push_back(fd);
      workers_.emplace_back([this, fd] { serve(fd); });
    }
  }
  void wait_for_release() {
    std::unique_lock lock(mutex_);
    released_.wait(lock, [this] { return is_released_; });
  }
  void serve(int fd) {
    std::string request;
    char chunk[4096];
    while (request.find("\r\n\r\n") == request.npos) {
      const auto got = recv(fd, chunk, sizeof chunk, 0);
      if (got <= 0) break;
      request.append(chunk, static_cast<std::size_t>(got));
    }
    if (request.find("\r\n\r\n") != request.npos) answer(fd, request);
    const std::lock_guard lock(mutex_);
    std::erase(open_, fd);
    close(fd);
  }
  void answer(int fd, const std::string& request) {
    ++requests_;
    const auto say = [fd](const std::string& text) { send(fd, text.data(), text.size(), MSG_NOSIGNAL); };
    const auto say_body = [&](const std::string& body) {
      say(fmt::format("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{}", body.size(), body));
    };
    if (request.find("pgrade: websocket") != request.npos) {
      say("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
          "Sec-WebSocket-Accept: ICX+Yqv66kxgM0FcWaLWlFLwTAI=\r\n\r\n");
      char chunk[4096];
      ssize_t got = 0;
      while ((got = recv(fd, chunk, sizeof chunk, 0)) > 0) send(fd, chunk, static_cast<std::size_t>(got), MSG_NOSIGNAL);
    } else if (request.find(" /events ") != request.npos) {
      say("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: one\n\n");
      wait_for_release();
      say("data: two\n\n");
    } else if (const auto size = request.find(" /header-of-"); size != request.npos) {
      say(fmt::format("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-Long: {}\r\n\r\nok",
                      std::string(static_cast<std::size_t>(std::atoi(request.c_str() + size + 12)), 'x')));
    } else if (request.find(" /text ") != request.npos) {
      const std::string text(2'000, 'x');
      say(fmt::format("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: {}\r\n\r\n{}", text.size(),
                      text));
    } else if (request.find(" /hold ") != request.npos) {
      wait_for_release();
      say_body(name_);
    } else if (request.find(" /break ") == request.npos) {
      say_body(request.find(" /echo ") != request.npos ? request : name_);
    }
  }

  std::string name_;
  UniqueFd listener_;
  Port port_ = 0;
  std::thread acceptor_;
  std::atomic<unsigned> requests_ = 0;
  std::mutex mutex_;
  std::condition_variable released_;
  bool is_released_ = false;
  std::vector<int> open_;
  std::vector<std::thread> workers_;
};

inline InstanceName instance(const std::string& app, ReleaseNumber release, std::uint32_t number = 1) {
  return {AppName::parse(app), release, ProcessType::parse("web"), number};
}

inline Route route(const std::string& point) { return {RoutePoint::parse(point)}; }

inline RoutedApp routed(const std::string& app, std::vector<RoutedServer> servers) {
  return {AppName::parse(app), {route(app + ".localhost")}, std::move(servers)};
}

// The sockets that a tree keeps for its router, from the first use on.
class KeptListeners {
 public:
  KeptListeners() = default;
  KeptListeners(const KeptListeners&) = delete;
  KeptListeners& operator=(const KeptListeners&) = delete;
  ~KeptListeners() {
    for (const int fd : fds_) close(fd);
  }
  const std::vector<int>& of(const Settings& settings) {
    if (fds_.empty()) fds_ = open_listeners(settings);
    return fds_;
  }

 private:
  std::vector<int> fds_;
};

class LiveRouter : public testing::Test {
 protected:
  LiveRouter() {
    std::string pattern = "/tmp/pushrod-router-XXXXXX";
    layout_.emplace(mkdtemp(pattern.data()));
    settings_.http = {"127.0.0.1", listen_anywhere().second};
    router_.emplace(*layout_, settings_);
  }
  ~LiveRouter() override {
    haproxy_.reset();
    remove_tree(layout_->root());
  }

  void launch() {
    const auto log = open_file(layout_->root() / "router.log", O_WRONLY | O_CREAT | O_APPEND);
    auto command = router_->command();
    command.environment["PUSHROD_THREADS"] = "2";  // the harder case, on any machine
    command.inherit = listeners_.of(settings_);
    haproxy_.emplace(ChildProcess::start(command, -1, log.get(), log.get()));
  }
  void start(const RoutingTable& table) {
    router_->prepare(table);
    launch();
    ASSERT_TRUE(eventually([&] { return router_->is_running(); })) << log();
  }
  // Another setting, which only a reload brings.
  void reload_into(const RoutingTable& table) {
    ++settings_.app_connections;
    router_.emplace(*layout_, settings_);
    router_->apply(table);
  }
  std::string log() const { return read_file(layout_->root() / "router.log").value_or(""); }
  std::string config() const { return read_file(layout_->router() / "haproxy.cfg").value_or(""); }
  MasterSocket master() const { return MasterSocket(layout_->router()); }
  // Of clients and of whoever asks this.
  unsigned open_connections() const {
    const std::string name = "\nCurrConns: ";
    const auto info = master().ask_current("show info").value_or("");
    const auto at = info.find(name);
    return at == info.npos ? 0 : static_cast<unsigned>(std::atoi(info.c_str() + at + name.size()));
  }
  Port port() const { return settings_.http.port; }
  Response get(const std::string& host, const std::string& path = "/", const std::string& headers = {}) {
    return Connection(port()).get(host, path, headers);
  }
  unsigned in_flight(const std::string& name) const {
    const auto requests = router_->requests_in_flight();
    const auto found = requests.find(name);
    return found == requests.end() ? 0 : found->second;
  }

  std::optional<Layout> layout_;
  Settings settings_;
  std::optional<Router> router_;
  KeptListeners listeners_;
  std::optional<ChildProcess> haproxy_;
};

}  // namespace pushrod
