// Apps that do not simply serve, in a real HAProxy: pages, requests that wait, and the call to wake.
#include <sys/un.h>

#include "live_router.hh"
#include "router/pages.hh"

namespace pushrod {
namespace {

class Modes : public LiveRouter {
 protected:
  void SetUp() override { start(serving()); }

  RoutingTable serving() { return {{routed("blog", {{instance("blog", 1), blog_.port()}}), routed("shop", {})}}; }
  RoutingTable in_mode(TrafficMode mode, const std::string& page = {}, bool with_server = true) {
    auto table = serving();
    table.apps[0].mode = mode;
    table.apps[0].page = page;
    if (!with_server) table.apps[0].servers.clear();
    return table;
  }
  std::string request(const std::string& more = "", const std::string& version = "1.1") {
    return fmt::format("GET / HTTP/{}\r\nHost: blog.localhost\r\n{}\r\n", version, more);
  }
  // No event tells that a request waits: none may have come through after a while.
  static void let_it_wait() { std::this_thread::sleep_for(Milliseconds{100}); }

  AppServer blog_{"blog"};
};

TEST_F(Modes, ChangeWithoutAReload) {
  const auto worker = master().processes()->workers;
  for (const auto mode : {TrafficMode::Stopped, TrafficMode::Maintenance, TrafficMode::Hold, TrafficMode::Asleep}) {
    router_->apply(in_mode(mode));
    EXPECT_TRUE(router_->serves(in_mode(mode)));
    EXPECT_FALSE(router_->serves(serving()));
  }
  router_->apply(serving());
  EXPECT_TRUE(router_->serves(serving()));
  EXPECT_EQ(get("blog.localhost").body, "blog");
  EXPECT_EQ(master().processes()->workers, worker);
}

TEST_F(Modes, AreThereFromTheStart) {
  router_->apply(in_mode(TrafficMode::Stopped));
  haproxy_.reset();
  launch();
  ASSERT_TRUE(eventually([&] { return router_->is_running(); })) << log();
  EXPECT_TRUE(router_->serves(in_mode(TrafficMode::Stopped)));
  EXPECT_EQ(get("blog.localhost").status, 503);
}

TEST_F(Modes, StoppedSaysSo) {
  router_->apply(in_mode(TrafficMode::Stopped));
  const auto response = get("blog.localhost");
  EXPECT_EQ(response.status, 503);
  EXPECT_NE(response.body.find("has been stopped"), std::string::npos) << response.body;
  EXPECT_EQ(blog_.requests(), 0u);
}

TEST_F(Modes, MaintenanceSaysWhenToComeAgain) {
  router_->apply(in_mode(TrafficMode::Maintenance));
  const auto response = get("blog.localhost");
  EXPECT_EQ(response.status, 503);
  EXPECT_NE(response.body.find("maintenance"), std::string::npos);
  EXPECT_TRUE(response.has("retry-after: 60")) << response.head;
}

TEST_F(Modes, MaintenanceShowsTheAppsOwnPageOfAnySize) {
  const auto worker = master().processes()->workers;
  for (const auto& page : {std::string("<h1>Back soon</h1>"), "plain " + std::string(65'000, 'x')}) {
    router_->apply(in_mode(TrafficMode::Maintenance, page));
    const auto response = get("blog.localhost", "/", "X: y\r\n");
    EXPECT_EQ(response.status, 503);
    EXPECT_EQ(response.body, page);
    EXPECT_TRUE(response.has("retry-after: 60")) << response.head;
    EXPECT_TRUE(response.has("content-type: " + std::string(page.front() == '<' ? "text/html" : "text/plain") +
                             "; charset=utf-8"))
        << response.head;
    EXPECT_EQ(list_directory(layout_->router() / "pages").size(), render_pages().size() + 1)
        << "an old page is left behind";
  }
  Connection head(port());
  head.send_text("HEAD / HTTP/1.1\r\nHost: blog.localhost\r\n\r\n");
  EXPECT_EQ(head.read_response(false).status, 503);
  router_->apply(serving());
  EXPECT_EQ(head.get("blog.localhost").body, "blog") << "the page's body came after all";
  EXPECT_EQ(master().processes()->workers, worker);
}

TEST_F(Modes, HeldRequestsOfEveryKindAreAnsweredByWhatServesThen) {
  AppServer next("blog 2");
  router_->apply(in_mode(TrafficMode::Hold, {}, false));
  Connection plain(port()), old_protocol(port()), post(port()), upgrade(port());
  plain.send_text(request());
  old_protocol.send_text(request("Connection: keep-alive\r\n", "1.0"));
  post.send_text("POST /echo HTTP/1.1\r\nHost: blog.localhost\r\nContent-Length: 4\r\n\r\nbo");
  upgrade.send_text(
      "GET /ws HTTP/1.1\r\nHost: blog.localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
      "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n");
  let_it_wait();
  post.send_text("dy");
  auto table = serving();
  table.apps[0].servers = {{instance("blog", 2), next.port()}};
  router_->apply(table);
  EXPECT_EQ(plain.read_response().body, "blog 2");
  EXPECT_EQ(old_protocol.read_response().body, "blog 2");
  EXPECT_NE(post.read_response().body.find("POST /echo"), std::string::npos);
  EXPECT_EQ(upgrade.read_response(false).status, 101);
  EXPECT_EQ(plain.get("blog.localhost").body, "blog 2") << "the connection goes on";
  EXPECT_EQ(blog_.requests(), 0u);
}

TEST_F(Modes, HeldRequestsSurviveReloads) {
  router_->apply(in_mode(TrafficMode::Hold));
  std::vector<std::unique_ptr<Connection>> clients;
  for (int round = 0; round < 3; ++round) {
    for (int number = 0; number < 20; ++number) {
      clients.push_back(std::make_unique<Connection>(port()));
      clients.back()->send_text(request());
    }
    reload_into(in_mode(TrafficMode::Hold));
  }
  let_it_wait();
  EXPECT_EQ(blog_.requests(), 0u);
  router_->apply(serving());
  for (auto& client : clients) EXPECT_EQ(client->read_response().body, "blog");
  EXPECT_EQ(blog_.requests(), 60u);
}

TEST_F(Modes, HeldRequestsGetThePageOfTheModeThatFollows) {
  router_->apply(in_mode(TrafficMode::Hold));
  Connection client(port());
  client.send_text(request());
  let_it_wait();
  router_->apply(in_mode(TrafficMode::Stopped));
  EXPECT_EQ(client.read_response().status, 503);
}

TEST_F(Modes, HoldALimitedNumberAndForgetClientsThatLeave) {
  constexpr unsigned kMost = 1'000;
  router_->apply(in_mode(TrafficMode::Hold));
  for (int round = 0; round < 2; ++round) {
    // HAProxy 3.0 does not see that they have gone, and forgets them after the 30 s for which a request is held at
    // most.
    ASSERT_TRUE(eventually([&] { return open_connections() < 10; }, Milliseconds{45'000}))
        << "those of the first round have gone";
    let_it_wait();  // who waits is counted anew ten times a second
    std::vector<std::unique_ptr<Connection>> clients;
    for (unsigned number = 0; number < kMost; ++number) {
      clients.push_back(std::make_unique<Connection>(port()));
      clients.back()->send_text(request());
    }
    ASSERT_TRUE(eventually([&] { return open_connections() >= kMost; }));
    let_it_wait();
    const auto response = get("blog.localhost");
    EXPECT_EQ(response.status, 503);
    EXPECT_TRUE(response.has("retry-after: 5")) << response.head;
    EXPECT_EQ(get("shop.localhost").status, 503) << "another app is not touched";
    if (round == 0) continue;
    router_->apply(serving());
    for (auto& client : clients) EXPECT_EQ(client->read_response().body, "blog");
  }
  EXPECT_EQ(blog_.requests(), kMost);
}

TEST_F(Modes, ARequestForAnAppThatSleepsCallsTheDaemonAndWaits) {
  router_->apply(in_mode(TrafficMode::Asleep, {}, false));
  Connection client(port());
  client.send_text(request());
  let_it_wait();  // nobody listens yet: it is called again

  UniqueFd daemon(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const auto path = layout_->wake_socket().native();
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  ASSERT_EQ(bind(daemon.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  ASSERT_EQ(listen(daemon.get(), 8), 0);
  pollfd event{daemon.get(), POLLIN, 0};
  ASSERT_EQ(poll(&event, 1, 2'000), 1);
  const UniqueFd call(accept4(daemon.get(), nullptr, nullptr, SOCK_CLOEXEC));
  std::string word(32, '\0');
  word.resize(static_cast<std::size_t>(recv(call.get(), word.data(), word.size(), 0)));
  EXPECT_EQ(word, "app.blog\n");

  router_->apply(serving());
  EXPECT_EQ(client.read_response().body, "blog");
}

TEST_F(Modes, IdlenessIsKnown) {
  EXPECT_EQ(router_->idleness().at("blog").open, 0u);
  EXPECT_FALSE(router_->idleness().at("blog").idle_for);
  Connection slow(port());
  slow.send_text("GET /hold HTTP/1.1\r\nHost: blog.localhost\r\n\r\n");
  ASSERT_TRUE(eventually([&] { return router_->idleness().at("blog").open == 1; }));
  blog_.release();
  EXPECT_EQ(slow.read_response().status, 200);
  ASSERT_TRUE(eventually([&] { return router_->idleness().at("blog").open == 0; }));
  EXPECT_LT(*router_->idleness().at("blog").idle_for, Milliseconds{30'000});
  ASSERT_TRUE(eventually([&] { return *router_->idleness().at("blog").idle_for >= Milliseconds{1'000}; }));
}

}  // namespace
}  // namespace pushrod
