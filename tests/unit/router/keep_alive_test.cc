// Connections to apps that stay open between requests: which requests use them, and that none fails when the app closes
// one at any moment.
#include <netinet/tcp.h>

#include "live_router.hh"

namespace pushrod {
namespace {

// An app that answers any number of requests on a connection, and closes it without a word after so many.
class LastingServer {
 public:
  explicit LastingServer(unsigned answers_per_connection, Port port = 0) : most_(answers_per_connection) {
    std::tie(listener_, port_) = listen_anywhere(port);
    acceptor_ = std::thread([this] { accept_all(); });
  }
  LastingServer(const LastingServer&) = delete;
  LastingServer& operator=(const LastingServer&) = delete;
  ~LastingServer() {
    shutdown(listener_.get(), SHUT_RDWR);
    acceptor_.join();
    {
      const std::lock_guard lock(mutex_);
      for (const int fd : open_) shutdown(fd, SHUT_RDWR);
    }
    for (auto& worker : workers_) worker.join();
  }
  Port port() const { return port_; }
  unsigned connections() const { return connections_; }
  unsigned requests() const { return requests_; }

 private:
  void accept_all() {
    while (true) {
      const int fd = accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC);
      if (fd < 0) return;
      ++connections_;
      const int on = 1;
      setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
      const std::lock_guard lock(mutex_);
      open_.push_back(fd);
      workers_.emplace_back([this, fd] { serve(fd); });
    }
  }
  // Bodies have 4 bytes.
  static bool read_request(int fd, std::string& buffer) {
    char chunk[4096];
    while (true) {
      const auto end = buffer.find("\r\n\r\n");
      const std::size_t body = buffer.find("ontent-length: 4") < end ? 4 : 0;
      if (end != buffer.npos && buffer.size() >= end + 4 + body) {
        buffer.erase(0, end + 4 + body);
        return true;
      }
      const auto got = recv(fd, chunk, sizeof chunk, 0);
      if (got <= 0) return false;
      buffer.append(chunk, static_cast<std::size_t>(got));
    }
  }
  void serve(int fd) {
    const std::string answer = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nblog";
    std::string buffer;
    for (unsigned number = 0; number < most_ && read_request(fd, buffer); ++number) {
      ++requests_;
      send(fd, answer.data(), answer.size(), MSG_NOSIGNAL);
    }
    const std::lock_guard lock(mutex_);
    std::erase(open_, fd);
    close(fd);
  }

  unsigned most_;
  UniqueFd listener_;
  Port port_ = 0;
  std::thread acceptor_;
  std::atomic<unsigned> connections_ = 0, requests_ = 0;
  std::mutex mutex_;
  std::vector<int> open_;
  std::vector<std::thread> workers_;
};

class KeptConnections : public LiveRouter {
 protected:
  static RoutingTable table(const LastingServer& app, ReleaseNumber release = 1, bool keeps = true) {
    auto blog = routed("blog", {{instance("blog", release), app.port()}});
    blog.keeps_connections = keeps;
    return {{std::move(blog)}};
  }
  // Requests of so many clients, each on one connection; how many were not answered.
  unsigned failures(const std::string& request, unsigned clients, unsigned requests) {
    std::atomic<unsigned> failed = 0;
    std::vector<std::thread> threads;
    for (unsigned number = 0; number < clients; ++number) {
      threads.emplace_back([&] {
        std::optional<Connection> connection;
        for (unsigned count = 0; count < requests; ++count) {
          if (!connection) connection.emplace(port());
          connection->send_text(request);
          if (connection->read_response().body == "blog") continue;
          ++failed;
          connection.reset();
        }
      });
    }
    for (auto& thread : threads) thread.join();
    return failed;
  }
  const std::string get_ = "GET / HTTP/1.1\r\nHost: blog.localhost\r\n\r\n";
  const std::string post_ = "POST / HTTP/1.1\r\nHost: blog.localhost\r\nContent-Length: 4\r\n\r\nbody";
};

TEST_F(KeptConnections, AreUsedForFurtherRequests) {
  LastingServer app(1'000'000);
  start(table(app));
  EXPECT_EQ(failures(get_, 1, 50), 0u);
  EXPECT_LE(app.connections(), 2u);
  for (int number = 0; number < 50; ++number) EXPECT_EQ(get("blog.localhost").body, "blog");
  EXPECT_LE(app.connections(), 4u) << "also by clients with a connection of their own";
}

TEST_F(KeptConnections, AreNotUsedForRequestsThatCannotBeSentAgain) {
  LastingServer app(1'000'000);
  start(table(app));
  EXPECT_EQ(failures(post_, 1, 20), 0u);
  EXPECT_EQ(app.connections(), 20u);
}

TEST_F(KeptConnections, CountEachRequestOnceInTheAppsShare) {
  // More than the second try's share of first tries: one request in 257 takes that way.
  constexpr unsigned kShare = 300;
  settings_.app_connections = kShare;
  router_.emplace(*layout_, settings_);
  AppServer app("blog");
  auto blog = routed("blog", {{instance("blog", 1), app.port()}});
  blog.keeps_connections = true;
  start({{blog}});
  const std::string upgrade =
      "GET / HTTP/1.1\r\nHost: blog.localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
      "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: x3JJHMbDL1EzLkh9GBhXDw==\r\n\r\n";
  std::vector<Connection> sockets;
  for (unsigned number = 0; number < kShare; ++number) {
    sockets.emplace_back(port()).send_text(upgrade);
    ASSERT_EQ(sockets.back().read_response(false).status, 101) << number;
  }
  EXPECT_EQ(get("blog.localhost").status, 503);
}

TEST_F(KeptConnections, AreNotUsedForRequestsThatAnAppCouldTakeForMoreThanOne) {
  LastingServer app(1'000'000);
  start(table(app));
  unsigned before = 0;
  for (const std::string more : {"Content-Length: 0\r\n\r\n", "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"}) {
    EXPECT_EQ(failures("GET / HTTP/1.1\r\nHost: blog.localhost\r\n" + more, 1, 10), 0u) << more;
    EXPECT_EQ(app.connections() - before, 10u) << more;
    before = app.connections();
  }
  Connection client(port());
  client.send_text("HEAD / HTTP/1.1\r\nHost: blog.localhost\r\n\r\n");
  EXPECT_EQ(client.read_response(false).status, 200);
  EXPECT_EQ(get("blog.localhost").body, "blog");
  EXPECT_EQ(app.connections() - before, 2u) << "what the app sends after its answer to HEAD meets no other request";
}

TEST_F(KeptConnections, AreNotKeptToAppsThatDoNotTakeThem) {
  LastingServer app(1'000'000);
  start(table(app, 1, false));
  EXPECT_EQ(failures(get_, 1, 20), 0u);
  EXPECT_EQ(app.connections(), 20u);
}

TEST_F(KeptConnections, FailNoRequestWhenTheAppClosesThem) {
  for (const unsigned answers : {1u, 2u, 7u}) {
    LastingServer app(answers);
    if (answers == 1) {
      start(table(app));
    } else {
      router_->apply(table(app, answers));
    }
    EXPECT_EQ(failures(get_, 16, 200), 0u) << answers;
    EXPECT_EQ(failures(post_, 16, 100), 0u) << answers;
    EXPECT_EQ(app.requests(), 16 * 300u) << "a POST is sent once";
  }
}

TEST_F(KeptConnections, FailNoRequestWhenTheOnlyInstanceDies) {
  auto app = std::make_unique<LastingServer>(1'000'000);
  const auto app_port = app->port();
  start(table(*app));
  std::atomic<unsigned> failed = 0;
  std::atomic<bool> done = false;
  std::jthread clients([&] {
    failed = failures(get_, 16, 3'000);
    done = true;
  });
  for (int death = 0; death < 4; ++death) {
    ASSERT_TRUE(eventually([&] { return done || app->requests() > 2'000; }));
    EXPECT_FALSE(done);
    app.reset();
    std::this_thread::sleep_for(Milliseconds{200});  // an app that starts again: requests come, and find nothing
    app = std::make_unique<LastingServer>(1'000'000, app_port);
  }
  clients.join();
  EXPECT_EQ(failed, 0u);
}

TEST_F(KeptConnections, AnswerWithAPageWhenTheOnlyInstanceStaysDead) {
  auto app = std::make_unique<LastingServer>(1'000'000);
  start(table(*app));
  EXPECT_EQ(get("blog.localhost").body, "blog");
  app.reset();
  const auto answer = get("blog.localhost");
  EXPECT_EQ(answer.status, 503);
  EXPECT_TRUE(answer.has("content-type: text/plain; charset=utf-8")) << answer.head;
  EXPECT_EQ(answer.head.find("x-pushrod"), std::string::npos) << answer.head;
}

TEST_F(KeptConnections, AreChangedWithoutAReload) {
  LastingServer first(1'000'000), second(1'000'000);
  start(table(first));
  const auto worker = master().processes()->workers;
  EXPECT_EQ(failures(get_, 4, 20), 0u);
  for (ReleaseNumber release = 2; release < 6; ++release) {
    const auto& app = release % 2 == 0 ? second : first;
    const auto wanted = table(app, release, release % 3 != 0);
    router_->apply(wanted);
    EXPECT_TRUE(router_->serves(wanted));
    EXPECT_EQ(failures(get_, 4, 20), 0u);
    router_->forget({instance("blog", release - 1)});
    EXPECT_EQ(router_->requests_in_flight().count(fmt::format("blog.{}.web.1", release - 1)), 0u)
        << "idle connections do not keep a server";
  }
  EXPECT_EQ(master().processes()->workers, worker);
}

}  // namespace
}  // namespace pushrod
