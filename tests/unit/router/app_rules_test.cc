// What apps say of HTTP in their pushrod.toml, through a real HAProxy.
#include <algorithm>

#include "live_router.hh"
#include "router/maps.hh"

namespace pushrod {
namespace {

class AppRules : public LiveRouter {
 protected:
  void SetUp() override { start(table({})); }
  RoutingTable table(const HttpRules& rules) {
    RoutingTable table{{routed("blog", {{instance("blog", 1), blog_.port()}}), routed("idle", {}), routed("shop", {})}};
    table.apps[0].http = table.apps[1].http = rules;
    return table;
  }
  void apply(const HttpRules& rules) {
    const auto worker = master().processes()->workers;
    router_->apply(table(rules));
    EXPECT_TRUE(router_->serves(table(rules)));
    EXPECT_EQ(master().processes()->workers, worker) << "reloaded";
  }
  Response post(const std::string& headers, const std::string& body) {
    Connection client(port());
    client.send_text("POST / HTTP/1.1\r\nHost: blog.localhost\r\n" + headers + "\r\n" + body);
    return client.read_response();
  }
  AppServer blog_{"blog"};
};

TEST_F(AppRules, LimitBodies) {
  HttpRules rules;
  rules.max_body = 10;
  apply(rules);
  EXPECT_EQ(post("Content-Length: 10\r\n", "0123456789").status, 200);
  const auto large = post("Content-Length: 11\r\n", "");
  EXPECT_EQ(large.status, 413);
  EXPECT_TRUE(large.body.starts_with("413 Content Too Large\n\n")) << large.body;
  EXPECT_EQ(post("Transfer-Encoding: chunked\r\n", "1\r\nx\r\n0\r\n\r\n").status, 411);
  EXPECT_EQ(get("blog.localhost").status, 200);
  apply({});
  EXPECT_EQ(post("Content-Length: 11\r\n", "0123456789x").status, 200);
}

TEST_F(AppRules, LimitTheSilenceOfAnApp) {
  HttpRules rules;
  rules.timeout = Milliseconds{100};
  apply(rules);
  EXPECT_EQ(get("blog.localhost", "/hold").status, 504);
}

TEST_F(AppRules, SetHeadersOfAnswers) {
  HttpRules rules;
  rules.headers = {{"X-Frame-Options", "DENY"}, {"Content-Security-Policy", "default-src 'self'; img-src *"}};
  apply(rules);
  const auto response = get("blog.localhost");
  EXPECT_TRUE(response.has("x-frame-options: DENY")) << response.head;
  EXPECT_TRUE(response.has("content-security-policy: default-src 'self'; img-src *")) << response.head;
  apply({});
  EXPECT_EQ(get("blog.localhost").head.find("x-frame"), std::string::npos);
}

TEST_F(AppRules, Redirect) {
  HttpRules rules;
  rules.redirects = {{"/old", "/new", 301},
                     {"/blog/*", "/articles/*", 308},
                     {"/out/*", "https://www.example.com/*", 302},
                     {"/root/*", "/*", 308}};
  apply(rules);
  const auto location = [&](const std::string& path) {
    const auto response = get("blog.localhost", path);
    const auto at = response.head.find("\r\nlocation: ");
    return fmt::format(
        "{} {}", response.status,
        at == response.head.npos ? "" : response.head.substr(at + 12, response.head.find("\r\n", at + 2) - at - 12));
  };
  EXPECT_EQ(location("/old"), "301 /new");
  EXPECT_EQ(location("/old?a=b"), "301 /new?a=b");
  EXPECT_EQ(location("/old/"), "200 ");
  EXPECT_EQ(location("/blog/1/2?x"), "308 /articles/1/2?x");
  EXPECT_EQ(location("/out/a%20b"), "302 https://www.example.com/a%20b");
  EXPECT_EQ(location("/root//evil.example"), "308 /evil.example");
  EXPECT_EQ(location("/root/\\evil.example"), "308 /evil.example");
}

TEST_F(AppRules, KeepHeadersWithUnderscores) {
  const std::string headers =
      "X_Api_Key: secret\r\nX_Forwarded_For: 6.6.6.6\r\nX-Real_IP: 6.6.6.7\r\nX.Dot: dot\r\nContent_Length: "
      "6.6.6\r\nTransfer_Encoding: 6.6.6\r\n";
  EXPECT_EQ(get("blog.localhost", "/echo", headers).body.find("secret"), std::string::npos);
  HttpRules rules;
  rules.keep_underscores = true;
  apply(rules);
  auto head = get("blog.localhost", "/echo", headers).body;
  std::transform(head.begin(), head.end(), head.begin(), [](unsigned char c) { return std::tolower(c); });
  EXPECT_NE(head.find("x_api_key: secret"), head.npos) << head;
  EXPECT_EQ(head.find("6.6.6"), head.npos) << head;
  EXPECT_EQ(head.find("dot"), head.npos) << head;
}

TEST_F(AppRules, BringPagesOfTheirOwn) {
  EXPECT_TRUE(get("idle.localhost").body.starts_with("503 Service Unavailable\n\nThis app is not running"));
  HttpRules rules;
  rules.pages = {{502, "<h1>Broken</h1>"}, {503, "<h1>Away</h1>\n"}, {504, "<h1>Slow</h1>"}, {413, "<h1>Big</h1>"}};
  rules.timeout = Milliseconds{100};
  rules.max_body = 1;
  apply(rules);
  const auto away = get("idle.localhost");
  EXPECT_EQ(away.status, 503);
  EXPECT_TRUE(away.body.starts_with("<h1>Away</h1> <!-- 503 ") && away.body.ends_with(" -->")) << away.body;
  EXPECT_TRUE(away.has("content-type: text/html; charset=utf-8")) << away.head;
  EXPECT_TRUE(away.has("retry-after: 5")) << away.head;
  EXPECT_EQ(away.head.find("x-pushrod"), away.head.npos) << away.head;
  EXPECT_TRUE(get("blog.localhost", "/hold").body.starts_with("<h1>Slow</h1>"));
  Connection broken(port());
  broken.send_text("POST /break HTTP/1.1\r\nHost: blog.localhost\r\nContent-Length: 0\r\n\r\n");
  EXPECT_TRUE(broken.read_response().body.starts_with("<h1>Broken</h1>"));
  EXPECT_TRUE(post("Content-Length: 2\r\n", "").body.starts_with("<h1>Big</h1>"));
  EXPECT_TRUE(get("shop.localhost").body.starts_with("503 Service Unavailable\n")) << "another app";
  auto stopped = table(rules);
  stopped.apps[0].mode = TrafficMode::Stopped;
  router_->apply(stopped);
  EXPECT_EQ(get("blog.localhost").body, "<h1>Away</h1>\n");
  router_->apply(table({}));
  EXPECT_TRUE(get("idle.localhost").body.starts_with("503 Service Unavailable\n"));
}

TEST_F(AppRules, AreThereAfterARestart) {
  HttpRules rules;
  rules.max_body = 1;
  rules.pages = {{503, "<h1>Away</h1>"}};
  apply(rules);
  haproxy_.reset();
  launch();
  ASSERT_TRUE(eventually([&] { return router_->is_running(); })) << log();
  EXPECT_TRUE(router_->serves(table(rules)));
  EXPECT_EQ(post("Content-Length: 2\r\n", "").status, 413);
  EXPECT_TRUE(get("idle.localhost").body.starts_with("<h1>Away</h1>"));
}

TEST_F(AppRules, CompressTextUnlessTheAppSaysOtherwise) {
  const std::string accept = "Accept-Encoding: gzip\r\n";
  EXPECT_TRUE(Connection(port()).get("blog.localhost", "/text", accept).has("content-encoding: gzip"));
  EXPECT_FALSE(get("blog.localhost", "/text").has("content-encoding: gzip"));
  EXPECT_FALSE(get("blog.localhost", "/", accept).has("content-encoding: gzip")) << "of no type";
  HttpRules rules;
  rules.compress = false;
  apply(rules);
  EXPECT_FALSE(Connection(port()).get("blog.localhost", "/text", accept).has("content-encoding: gzip"));
}

TEST(Maps, TellWhatAppsSayOfHttp) {
  RoutingTable table{{routed("blog", {}), routed("shop", {})}};
  auto& rules = table.apps[1].http;
  rules.max_body = 10;
  rules.timeout = Milliseconds{1'500};
  rules.compress = false;
  EXPECT_EQ(http_entries(table), (MapEntries{{"app.shop", "10|1500||n|"}}));
  rules = {};
  rules.headers = {{"X-A", "b c"}};
  rules.redirects = {{"/a", "/b", 308}};
  rules.pages = {{503, "page"}};
  EXPECT_EQ(render_rules(rules), "header\tX-A\tb c\nredirect\t308\t/a\t/b\n");
  EXPECT_EQ(http_entries(table), (MapEntries{{"app.shop", "|||hr|" + own_file(render_rules(rules))}}));
  EXPECT_EQ(error_entries(table), (MapEntries{{"app.shop/503", own_file("page")}}));
}

}  // namespace
}  // namespace pushrod
