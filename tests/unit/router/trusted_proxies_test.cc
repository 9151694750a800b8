// What an app learns of clients behind proxies, through a real HAProxy.
#include <algorithm>

#include "live_router.hh"

namespace pushrod {
namespace {

class TrustedProxies : public LiveRouter {
 protected:
  void launch_with(bool proxy_protocol) {
    settings_.trusted_proxies = {"127.0.0.2", "127.0.0.3", "10.0.0.0/8"};
    settings_.proxy_protocol = proxy_protocol;
    router_.emplace(*layout_, settings_);
    start(table());
  }
  RoutingTable table() const { return {{routed("blog", {{instance("blog", 1), blog_.port()}})}}; }
  // The head as the app saw it, in lower case.
  std::string seen(const std::string& headers, const char* from = "127.0.0.2", const std::string& first = {}) {
    Connection client(port(), from);
    client.send_text(first);
    auto head = client.get("blog.localhost", "/echo", headers).body;
    std::transform(head.begin(), head.end(), head.begin(), [](unsigned char c) { return std::tolower(c); });
    return head;
  }
  std::string logged_client() const {
    const auto text = log();
    std::string last;
    for (const auto& line : lines_of(text)) {
      if (line.starts_with("= ")) last = split(line, ' ').at(6);
    }
    return last;
  }
  AppServer blog_{"blog"};
};

bool has(const std::string& head, const std::string& line) { return head.find("\r\n" + line + "\r\n") != head.npos; }

TEST_F(TrustedProxies, AreBelievedAndAppendedTo) {
  launch_with(false);
  const auto head =
      seen("X-Forwarded-For: 192.0.2.7\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Host: www.example.com\r\n");
  EXPECT_TRUE(has(head, "x-forwarded-for: 192.0.2.7, 127.0.0.2")) << head;
  EXPECT_TRUE(has(head, "x-forwarded-proto: https")) << head;
  EXPECT_TRUE(has(head, "x-forwarded-host: www.example.com")) << head;
  EXPECT_TRUE(has(head, "x-forwarded-port: 443")) << head;
  EXPECT_TRUE(has(head, "host: blog.localhost")) << head;
  EXPECT_TRUE(eventually([&] { return logged_client() == "192.0.2.7"; })) << log();
}

TEST_F(TrustedProxies, MayTellThePort) {
  launch_with(false);
  const auto head = seen("X-Forwarded-Proto: HTTPS\r\nX-Forwarded-Port: 8443\r\n");
  EXPECT_TRUE(has(head, "x-forwarded-port: 8443")) << head;
  EXPECT_TRUE(has(head, "x-forwarded-proto: https")) << head;
  EXPECT_TRUE(has(head, "x-forwarded-for: 127.0.0.2")) << head;
  EXPECT_TRUE(has(head, "x-forwarded-host: blog.localhost")) << head;
  EXPECT_TRUE(has(seen("X-Forwarded-Host: a.example:81\r\n"), "x-forwarded-port: 81"));
}

TEST_F(TrustedProxies, HaveNothingToSayForOthers) {
  launch_with(false);
  const auto head = seen(
      "X-Forwarded-For: 192.0.2.7\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Host: evil\r\nX-Forwarded-Port: 1\r\n",
      "127.0.0.9");
  EXPECT_TRUE(has(head, "x-forwarded-for: 127.0.0.9")) << head;
  EXPECT_TRUE(has(head, "x-forwarded-proto: http")) << head;
  EXPECT_TRUE(has(head, "x-forwarded-port: 80")) << head;
  EXPECT_EQ(head.find("evil"), head.npos) << head;
  EXPECT_TRUE(eventually([&] { return logged_client() == "127.0.0.9"; })) << log();
}

TEST_F(TrustedProxies, AreNotBelievedWhenWhatTheySayIsOfNoUse) {
  launch_with(false);
  const auto head = seen(
      "X-Forwarded-Proto: gopher\r\nX-Forwarded-Host: evil/../\r\nX-Forwarded-Port: 99999999\r\n"
      "X-Real-IP: evil\r\nX-Forwarded-Prefix: /evil\r\nForwarded: for=evil\r\n");
  EXPECT_TRUE(has(head, "x-forwarded-proto: http")) << head;
  EXPECT_TRUE(has(head, "x-forwarded-host: blog.localhost")) << head;
  EXPECT_TRUE(has(head, "x-forwarded-port: 80")) << head;
  EXPECT_EQ(head.find("evil"), head.npos) << head;
}

TEST_F(TrustedProxies, AreFollowedToTheClient) {
  launch_with(false);
  const std::pair<const char*, const char*> cases[] = {
      {"X-Forwarded-For: 192.0.2.7, 10.0.0.1, 127.0.0.3\r\n", "192.0.2.7"},
      {"X-Forwarded-For: 6.6.6.6, 192.0.2.8, 10.0.0.1\r\n", "192.0.2.8"},
      {"X-Forwarded-For: 6.6.6.6\r\nX-Forwarded-For: 192.0.2.9\r\n", "192.0.2.9"},
      {"X-Forwarded-For: 6.6.6.6, unknown, 10.0.0.2\r\n", "10.0.0.2"},
      {"X-Forwarded-For: 2001:db8::7, 10.0.0.2\r\n", "2001:db8::7"},
      {"X-Forwarded-For: unknown\r\n", "127.0.0.2"},
  };
  for (const auto& [headers, client] : cases) {
    seen(headers);
    EXPECT_TRUE(eventually([&] { return logged_client() == client; })) << headers << log();
  }
  EXPECT_TRUE(has(seen(cases[0].first), "x-forwarded-for: 192.0.2.7, 10.0.0.1, 127.0.0.3, 127.0.0.2"));
  EXPECT_TRUE(has(seen(cases[2].first), "x-forwarded-for: 6.6.6.6, 192.0.2.9, 127.0.0.2"));
}

TEST_F(TrustedProxies, AreBelievedOnceWhenAnOldWorkerHandsTheirRequestOn) {
  launch_with(false);
  Connection client(port(), "127.0.0.2");
  ASSERT_EQ(client.get("blog.localhost").status, 200);
  reload_into(table());
  const auto head =
      client
          .get("blog.localhost", "/echo",
               "X-Forwarded-For: 192.0.2.7\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Host: a.example\r\n")
          .body;
  EXPECT_NE(head.find("192.0.2.7, 127.0.0.2\r\n"), head.npos) << head;
  EXPECT_NE(head.find("-proto: https\r\n"), head.npos) << head;
  EXPECT_NE(head.find("-host: a.example\r\n"), head.npos) << head;
}

TEST_F(TrustedProxies, TellTheAddressByTheProxyProtocol) {
  launch_with(true);
  const auto head = seen("X-Forwarded-For: 6.6.6.6\r\nX-Forwarded-Proto: https\r\n", "127.0.0.2",
                         "PROXY TCP4 192.0.2.7 192.0.2.1 1234 80\r\n");
  EXPECT_TRUE(has(head, "x-forwarded-for: 192.0.2.7")) << head;
  EXPECT_TRUE(has(head, "x-forwarded-proto: http")) << head;
  EXPECT_TRUE(eventually([&] { return logged_client() == "192.0.2.7"; })) << log();
  EXPECT_TRUE(has(seen("X-Forwarded-For: 192.0.2.8\r\n", "127.0.0.2", "PROXY TCP4 10.0.0.7 192.0.2.1 1234 80\r\n"),
                  "x-forwarded-for: 192.0.2.8, 10.0.0.7"));
  EXPECT_TRUE(has(seen("", "127.0.0.9"), "x-forwarded-for: 127.0.0.9")) << "others speak HTTP at once";
  const auto requests = blog_.requests();
  seen("", "127.0.0.9", "PROXY TCP4 192.0.2.7 192.0.2.1 1234 80\r\n");
  EXPECT_EQ(blog_.requests(), requests) << "and cannot claim an address";
  EXPECT_EQ(seen("", "127.0.0.2"), "") << "a proxy must say the address";
}

TEST_F(TrustedProxies, SendTheirClientsWithASharePerAddress) {
  settings_.address_connections = 10;
  launch_with(true);
  std::vector<std::unique_ptr<Connection>> open;
  const auto connect = [&](const std::string& address) {
    open.push_back(std::make_unique<Connection>(port(), "127.0.0.2"));
    open.back()->send_text("PROXY TCP4 " + address + " 192.0.2.1 1234 80\r\n");
    return open.back()->get("blog.localhost").status;
  };
  for (int count = 0; count < 10; ++count) EXPECT_EQ(connect("192.0.2.7"), 200);
  EXPECT_EQ(connect("192.0.2.7"), 429);
  EXPECT_EQ(connect("192.0.2.8"), 200);
}

}  // namespace
}  // namespace pushrod
