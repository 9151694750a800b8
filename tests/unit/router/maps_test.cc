// What the maps say of hosts, and which app of several that claim a request gets it (in the real HAProxy).
#include "router/maps.hh"

#include "base/error.hh"
#include "live_router.hh"

namespace pushrod {
namespace {

TEST(HostEntries, SayWhatTheRouterDoes) {
  auto app = routed("shop", {});
  app.routes = {route("www.example.com"), route("example.org/shop"), route("example.org/old")};
  app.routes[1].strip_prefix = true;
  app.routes[1].hsts = std::chrono::seconds{60};
  app.routes[2].redirect_to = HostName::parse("www.example.com");
  Settings settings;
  EXPECT_EQ(host_entries(settings, {{app}}),
            (MapEntries{{"example.org/old/", "app.shop||||http://www.example.com:8080"},
                        {"example.org/shop/", "app.shop||1|/shop||60"},
                        {"www.example.com/", "app.shop"}}));
  settings.http.port = 80;
  EXPECT_EQ(host_entries(settings, {{app}}).at("example.org/old/"), "app.shop||||http://www.example.com");
}

TEST(HostEntries, RefuseAPointOfTwoApps) {
  auto one = routed("one", {}), two = routed("two", {});
  two.routes = one.routes;
  EXPECT_THROW(host_entries({}, {{one, two}}), Error);
}

TEST(Maps, AreReadAsTheyWereWritten) {
  const MapEntries entries{{"a.example/", "app.a||1|/x"}, {"b.example/", "app.b"}};
  EXPECT_EQ(render_map(entries), "a.example/ app.a||1|/x\nb.example/ app.b\n");
  EXPECT_EQ(parse_map(render_map(entries)), entries);
}

class Hosts : public LiveRouter {
 protected:
  void SetUp() override { start(table({})); }
  // The apps by name, with what leads to each.
  RoutingTable table(std::vector<std::pair<std::string, std::vector<Route>>> more) {
    RoutingTable made;
    more.push_back({"blog", {route("blog.localhost")}});
    for (auto& [name, routes] : more) {
      auto& server = servers_.try_emplace(name, std::make_unique<AppServer>(name)).first->second;
      RoutedApp app = routed(name, {{instance(name, 1), server->port()}});
      app.routes = std::move(routes);
      made.apps.push_back(std::move(app));
    }
    return made;
  }
  pid_t worker() { return master().processes()->workers.at(0); }
  std::map<std::string, std::unique_ptr<AppServer>> servers_;
};

TEST_F(Hosts, AndAppsComeAndGoWithoutAReload) {
  const auto before = worker();
  for (int number = 1; number <= 5; ++number) {
    const auto host = fmt::format("www{}.example.com", number);
    router_->apply(table({{"shop", {route(host)}}}));
    EXPECT_EQ(get(host).body, "shop");
    EXPECT_EQ(get("blog.localhost").body, "blog");
    EXPECT_EQ(get(fmt::format("www{}.example.com", number - 1)).status, 404);
  }
  router_->apply(table({}));
  EXPECT_EQ(get("www5.example.com").status, 404);
  EXPECT_EQ(worker(), before);
}

TEST_F(Hosts, AreThereAfterARestartOfTheRouter) {
  const auto wanted = table({{"shop", {route("www.example.com/shop"), route("*.example.net")}}});
  router_->apply(wanted);
  haproxy_.reset();
  launch();
  ASSERT_TRUE(eventually([&] { return router_->is_running(); })) << log();
  EXPECT_TRUE(router_->serves(wanted));
  EXPECT_EQ(get("www.example.com", "/shop").body, "shop");
  EXPECT_EQ(get("a.example.net").body, "shop");
}

TEST_F(Hosts, LongestPrefixOfWholeSegmentsWins) {
  router_->apply(table({{"all", {route("www.example.com")}},
                        {"shop", {route("www.example.com/shop")}},
                        {"eu", {route("www.example.com/shop/eu")}}}));
  for (const auto& [path, app] : std::map<std::string, std::string>{{"/", "all"},
                                                                    {"/shopping", "all"},
                                                                    {"/sho", "all"},
                                                                    {"/SHOP", "all"},
                                                                    {"//shop", "all"},
                                                                    {"/%73hop", "all"},
                                                                    {"/shop", "shop"},
                                                                    {"/shop/", "shop"},
                                                                    {"/shop?a=b", "shop"},
                                                                    {"/shop/eur", "shop"},
                                                                    {"/shop/eu", "eu"},
                                                                    {"/shop/eu/1?x=/", "eu"},
                                                                    {"/?p=/shop/", "all"},
                                                                    {"/shop/a/eu", "shop"}}) {
    EXPECT_EQ(get("www.example.com", path).body, app) << path;
  }
  const auto longest = std::string(8'000, 'x');
  EXPECT_EQ(get("www.example.com", "/shop/eu/" + longest).body, "eu");
  EXPECT_EQ(get("www.example.com", "/" + longest).body, "all");
}

TEST_F(Hosts, OfTheirOwnNameWinOverAWildcardOfOneLabel) {
  router_->apply(table({{"all", {route("*.example.com")}},
                        {"api", {route("*.example.com/api")}},
                        {"shop", {route("shop.example.com")}}}));
  EXPECT_EQ(get("a.example.com").body, "all");
  EXPECT_EQ(get("A.Example.COM:8080").body, "all");
  EXPECT_EQ(get("a.example.com", "/api/1").body, "api");
  EXPECT_EQ(get("shop.example.com", "/api/1").body, "shop");
  for (const char* host : {"example.com", "a.b.example.com", ".example.com.evil.org", "aexample.com"}) {
    EXPECT_EQ(get(host).status, 404) << host;
  }
}

TEST_F(Hosts, CanHaveOnlyPrefixes) {
  router_->apply(table({{"shop", {route("www.example.com/shop")}}}));
  EXPECT_EQ(get("www.example.com").status, 404);
  EXPECT_EQ(get("www.example.com", "/shop").body, "shop");
}

TEST_F(Hosts, StripThePrefixAndTellIt) {
  auto wanted = table({{"shop", {route("www.example.com/shop/eu"), route("a.example.com/shop")}}});
  for (auto& one : wanted.apps[0].routes) one.strip_prefix = true;
  router_->apply(wanted);
  for (const auto& [path, stripped] :
       std::map<std::string, std::string>{{"/shop/eu/echo ", "/echo "}, {"/shop/eu//echo ", "/echo "}}) {
    Connection client(port());
    client.send_text(fmt::format("GET {}HTTP/1.1\r\nHost: www.example.com\r\nX-Forwarded-Prefix: /x\r\n\r\n", path));
    const auto body = client.read_response().body;
    EXPECT_EQ(body.substr(0, body.find("HTTP")), "GET " + stripped) << path;
    EXPECT_NE(body.find("x-forwarded-prefix: /shop/eu\r\n"), body.npos) << body;
    EXPECT_EQ(body.find("prefix: /x\r\n"), body.npos) << body;
  }
  EXPECT_NE(get("a.example.com", "/shop/echo").body.find("GET /echo "), std::string::npos);
}

TEST_F(Hosts, RedirectWithPathAndQuery) {
  auto wanted = table({{"shop", {route("www.example.com"), route("example.com")}}});
  wanted.apps[0].routes[1].redirect_to = HostName::parse("www.example.com");
  router_->apply(wanted);
  const auto response = get("example.com", "/a//b?c=d&e");
  EXPECT_EQ(response.status, 308);
  EXPECT_TRUE(response.has(fmt::format("location: http://www.example.com:{}/a//b?c=d&e", port()))) << response.head;
  EXPECT_EQ(get("www.example.com").body, "shop");
}

TEST_F(Hosts, FailNoRequestWhileTheyChange) {
  std::atomic<bool> stopped = false;
  std::atomic<unsigned> answered = 0, failed = 0;
  std::thread client([&] {
    Connection connection(port());
    while (!stopped) connection.get("blog.localhost").body == "blog" ? ++answered : ++failed;
  });
  const auto before = worker();
  std::vector<Route> routes;
  for (int number = 0; number < 200; ++number) {
    routes.push_back(route(fmt::format("www{}.example.com", number)));
    router_->apply(table({{"shop", routes}}));
  }
  EXPECT_EQ(get("www199.example.com").body, "shop");
  stopped = true;
  client.join();
  EXPECT_EQ(failed, 0u);
  EXPECT_GT(answered, 100u);
  EXPECT_EQ(worker(), before);
}

}  // namespace
}  // namespace pushrod
