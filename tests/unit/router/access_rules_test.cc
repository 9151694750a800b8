// Who may ask an app, through a real HAProxy.
#include "live_router.hh"
#include "router/maps.hh"

namespace pushrod {
namespace {

class AccessRulesInRouter : public LiveRouter {
 protected:
  void SetUp() override { start(table({})); }
  RoutingTable table(const AccessRules& rules) {
    RoutingTable table{
        {routed("blog", {{instance("blog", 1), blog_.port()}}), routed("shop", {{instance("shop", 1), shop_.port()}})}};
    table.apps[0].access = rules;
    return table;
  }
  void apply(const AccessRules& rules) {
    const auto worker = master().processes()->workers;
    router_->apply(table(rules));
    EXPECT_TRUE(router_->serves(table(rules)));
    EXPECT_EQ(master().processes()->workers, worker) << "reloaded";
  }
  int status(const char* from, const std::string& headers = {}, const std::string& host = "blog.localhost") {
    return Connection(port(), from).get(host, "/", headers).status;
  }
  // SHA-256 of "salt" and "secret": printf saltsecret | sha256sum
  const AccessUser ada_{"ada", "salt", "bede90386d450cea8b77b822f8887065e4e5abf132c2f9dccfcc7fbd4cba5e35"};
  AppServer blog_{"blog"};
  AppServer shop_{"shop"};
};

// base64 of "ada:secret", "ada:wrong" and "eve:secret".
constexpr const char* kRight = "Authorization: Basic YWRhOnNlY3JldA==\r\n";
constexpr const char* kWrongPassword = "Authorization: Basic YWRhOndyb25n\r\n";
constexpr const char* kWrongUser = "Authorization: Basic ZXZlOnNlY3JldA==\r\n";

TEST_F(AccessRulesInRouter, LetInAllowedNetworksAlone) {
  apply(AccessRules{.networks = {"127.0.0.4/31", "2001:db8::/32", "127.0.0.9"}});
  EXPECT_EQ(status("127.0.0.4"), 200);
  EXPECT_EQ(status("127.0.0.5"), 200);
  EXPECT_EQ(status("127.0.0.9"), 200);
  const auto refused = Connection(port(), "127.0.0.6").get("blog.localhost");
  EXPECT_EQ(refused.status, 403);
  EXPECT_TRUE(refused.body.starts_with("403 Forbidden\n\nThis app is not open to your address.\n")) << refused.body;
  EXPECT_EQ(status("127.0.0.6", "X-Forwarded-For: 127.0.0.4\r\n"), 403);
  EXPECT_EQ(status("127.0.0.6", {}, "shop.localhost"), 200) << "another app";
  apply(AccessRules{.networks = {"2001:db8::/32"}});
  EXPECT_EQ(status("127.0.0.4"), 403);
  apply({});
  EXPECT_EQ(status("127.0.0.6"), 200);
}

TEST_F(AccessRulesInRouter, AskForAPasswordThatTheAppDoesNotSee) {
  apply(AccessRules{.users = {ada_}});
  const auto asked = get("blog.localhost");
  EXPECT_EQ(asked.status, 401);
  EXPECT_TRUE(asked.has("www-authenticate: Basic realm=\"blog\", charset=\"UTF-8\"")) << asked.head;
  EXPECT_EQ(status("127.0.0.1", kWrongPassword), 401);
  EXPECT_EQ(status("127.0.0.1", kWrongUser), 401);
  EXPECT_EQ(status("127.0.0.1", "Authorization: Basic @@@\r\n"), 401);
  EXPECT_EQ(status("127.0.0.1", "Authorization: Bearer YWRhOnNlY3JldA==\r\n"), 401);
  const auto echo = get("blog.localhost", "/echo", kRight);
  EXPECT_EQ(echo.status, 200);
  EXPECT_EQ(echo.body.find("YWRhOnNlY3JldA"), echo.body.npos) << echo.body;
  EXPECT_NE(get("shop.localhost", "/echo", kRight).body.find("YWRhOnNlY3JldA"), std::string::npos) << "another app";
}

TEST_F(AccessRulesInRouter, LimitTheRequestsOfEachClient) {
  apply(AccessRules{.rate = 5});
  const auto many = [&](const char* from) {
    int refused = 0;
    Connection client(port(), from);
    for (int count = 0; count < 30; ++count) refused += client.get("blog.localhost").status == 429 ? 1 : 0;
    return refused;
  };
  EXPECT_GT(many("127.0.0.4"), 10);
  EXPECT_EQ(status("127.0.0.5"), 200) << "another client";
  EXPECT_TRUE(eventually([&] { return status("127.0.0.4") == 200; })) << "a second later";
}

TEST_F(AccessRulesInRouter, HoldInEveryModeAndAfterARestart) {
  AccessRules rules{.networks = {"127.0.0.4"}};
  auto stopped = table(rules);
  stopped.apps[0].mode = TrafficMode::Stopped;
  router_->apply(stopped);
  EXPECT_EQ(status("127.0.0.5"), 403) << "not even that it is stopped";
  EXPECT_EQ(status("127.0.0.4"), 503);
  router_->apply(table(rules));
  haproxy_.reset();
  launch();
  ASSERT_TRUE(eventually([&] { return router_->is_running(); })) << log();
  EXPECT_EQ(status("127.0.0.5"), 403);
  Connection old(port(), "127.0.0.5");
  EXPECT_EQ(old.get("blog.localhost").status, 403);
  reload_into(table(rules));
  EXPECT_EQ(old.get("blog.localhost").status, 403) << "by an old worker";
  EXPECT_EQ(blog_.requests(), 0u);
}

TEST_F(AccessRulesInRouter, CloseAnAppWhoseRulesCannotBeRead) {
  const AccessRules rules{.networks = {"127.0.0.4"}};
  const auto file = layout_->router() / own_file(render_access(table(rules).apps[0]));
  apply(rules);
  remove_file(file);
  EXPECT_EQ(status("127.0.0.4"), 403);
}

// The secret, and what openssl makes of it: printf 'session.4102444800.7' | openssl dgst -sha256 -hmac secret
constexpr const char* kSecret = "secret";
const std::string kSession =
    "_pushrod_login=4102444800.7.ad0fc264ec61089ba85992e2a4dd6b88389c44943d8bb395ea659fd49e268a33";
const std::string kLink = "4102444800.abcdef.7.7073d4026204f7261abc57f065c191202cde57978bcf54a4258c440711d72b15";

TEST_F(AccessRulesInRouter, OpenSessionsByLinksThatWorkOnce) {
  const AccessRules rules{.login_secret = kSecret, .login_keys = {0, 7}};
  apply(rules);
  EXPECT_EQ(status("127.0.0.1"), 401);
  const auto opened = get("blog.localhost", "/.pushrod/login?" + kLink);
  EXPECT_EQ(opened.status, 303);
  EXPECT_TRUE(opened.has("location: /")) << opened.head;
  const auto at = opened.head.find("_pushrod_login=");
  ASSERT_NE(at, std::string::npos) << opened.head;
  const auto cookie = opened.head.substr(at, opened.head.find(';', at) - at);
  EXPECT_NE(opened.head.find("; Path=/; HttpOnly; SameSite=Lax; Max-Age=604800\r\n"), std::string::npos) << opened.head;
  const auto echo = get("blog.localhost", "/echo", "Cookie: a=b; " + cookie + "; c=d\r\n");
  EXPECT_EQ(echo.status, 200);
  EXPECT_NE(echo.body.find(": a=b; c=d\r\n"), std::string::npos) << echo.body;
  EXPECT_EQ(echo.body.find("_pushrod_login"), std::string::npos) << echo.body;
  EXPECT_EQ(get("blog.localhost", "/.pushrod/login?" + kLink).status, 403) << "twice";
  reload_into(table(rules));
  EXPECT_EQ(get("blog.localhost", "/.pushrod/login?" + kLink).status, 403) << "after a reload";
  EXPECT_EQ(get("blog.localhost", "/", "Cookie: " + cookie + "\r\n").status, 200);
}

TEST_F(AccessRulesInRouter, KnowTheirSessions) {
  apply(AccessRules{.login_secret = kSecret, .login_keys = {0, 7}});
  const auto with = [&](const std::string& cookie) { return status("127.0.0.1", "Cookie: " + cookie + "\r\n"); };
  EXPECT_EQ(with(kSession), 200);
  EXPECT_EQ(with("a=b; " + kSession), 200);
  auto forged = kSession;
  forged.replace(forged.find(".7."), 3, ".0.");
  EXPECT_EQ(with(forged), 401) << "another key";
  EXPECT_EQ(with("_pushrod_login=4102444801" + kSession.substr(25)), 401) << "longer";
  EXPECT_EQ(with("_pushrod_login=1000000000.7.27b22d8112360ad41f1d6206d159ed414bd8792da11f7fe2351e23e756c2f2c3"), 401)
      << "expired";
  EXPECT_EQ(with("_pushrod_login=" + kLink), 401) << "a link is no session";
  EXPECT_EQ(with("_pushrod_login="), 401);
  EXPECT_EQ(get("blog.localhost", "/.pushrod/login?" + kSession.substr(15)).status, 403) << "a session is no link";
  EXPECT_EQ(get("blog.localhost", "/.pushrod/login").status, 403);
  apply(AccessRules{.login_secret = kSecret, .login_keys = {0}});
  EXPECT_EQ(with(kSession), 401) << "the key was removed";
  apply(AccessRules{.login_secret = "other", .login_keys = {0, 7}});
  EXPECT_EQ(with(kSession), 401) << "another secret";
}

}  // namespace
}  // namespace pushrod
