// What a client gets and what an app gets, through a real HAProxy.
#include <algorithm>
#include <map>

#include "live_router.hh"
#include "router/access_log.hh"
#include "router/client_claims.hh"

namespace pushrod {
namespace {

class Requests : public LiveRouter {
 protected:
  void SetUp() override {
    start({{routed("blog", {{instance("blog", 1), blog_.port()}}), routed("idle", {}),
            routed("shop", {{instance("shop", 1), shop_.port()}})}});
  }
  AppServer blog_{"blog"};
  AppServer shop_{"shop"};
};

TEST_F(Requests, ReachTheAppOfTheirHost) {
  EXPECT_EQ(get("blog.localhost").body, "blog");
  EXPECT_EQ(get("shop.localhost").body, "shop");
  EXPECT_EQ(get("SHOP.localHOST:8080").body, "shop");
  EXPECT_EQ(get("shop.localhost.").body, "shop");
}

TEST_F(Requests, ForAnUnknownHostGetThe404PageAndReachNoApp) {
  for (const std::string host : {"other.localhost", "localhost", "blog", "127.0.0.1", "[::1]:80", "blog.localhost.evil",
                                 "x.blog.localhost", "app.blog", "unknown-host", "current-worker"}) {
    const auto response = get(host);
    EXPECT_EQ(response.status, 404) << host;
    EXPECT_TRUE(response.body.starts_with("404 Not Found\n\nNo app answers")) << response.body;
    EXPECT_TRUE(response.has("cache-control: no-store")) << response.head;
  }
  // HAProxy 2.6 looks for an app of that name, 3.0 says that it is not one.
  const auto two_names = get("blog.localhost,shop.localhost").status;
  EXPECT_TRUE(two_names == 404 || two_names == 400) << two_names;
  Connection old_client(port());
  old_client.send_text("GET / HTTP/1.0\r\n\r\n");
  EXPECT_EQ(old_client.read_response().status, 404);
  EXPECT_EQ(blog_.requests() + shop_.requests(), 0u);
}

TEST_F(Requests, WithTwoHostsAreRefused) {
  Connection two(port());
  two.send_text("GET / HTTP/1.1\r\nHost: blog.localhost\r\nHost: shop.localhost\r\n\r\n");
  EXPECT_EQ(two.read_response().status, 400);
  Connection other(port());
  other.send_text("GET http://shop.localhost/ HTTP/1.1\r\nHost: blog.localhost\r\n\r\n");
  EXPECT_EQ(other.read_response().status, 400);
  EXPECT_EQ(blog_.requests() + shop_.requests(), 0u);
}

TEST_F(Requests, ToAnAppWithoutServersGetThe503Page) {
  const auto response = get("idle.localhost");
  EXPECT_EQ(response.status, 503);
  EXPECT_TRUE(response.body.starts_with("503 Service Unavailable\n\nThis app is not running")) << response.body;
  EXPECT_TRUE(response.has("cache-control: no-store"));
}

TEST_F(Requests, WithHeadGetNoBody) {
  Connection client(port());
  client.send_text("HEAD / HTTP/1.1\r\nHost: idle.localhost\r\n\r\n");
  EXPECT_EQ(client.read_response(false).status, 503);
  EXPECT_EQ(client.get("blog.localhost").body, "blog") << "the page's body came after all";
}

TEST_F(Requests, CarryWhatWeKnowOfTheClientAndNothingThatItClaims) {
  auto seen = Connection(port(), "127.0.0.9")
                  .get("BLOG.localhost:81", "/echo",
                       "X-Forwarded-For: 6.6.6.6\r\nx-forwarded-for: 6.6.6.7\r\nX-Forwarded-Proto: https\r\n"
                       "X-Forwarded-Host: evil\r\nX-Forwarded-Port: 6666\r\nX-Forwarded-Server: evil\r\n"
                       "X-Forwarded-Prefix: /evil\r\nForwarded: for=6.6.6.6\r\nX-Real-IP: 6.6.6.6\r\nProxy: evil\r\n"
                       "X_Forwarded_For: 6.6.6.6\r\nX_Forwarded-Proto: evil\r\nX-Request-Id: evil\r\n"
                       "X-Request-Start: evil\r\nX-Kept: yes\r\n")
                  .body;
  std::transform(seen.begin(), seen.end(), seen.begin(), [](unsigned char c) { return std::tolower(c); });
  EXPECT_NE(seen.find("\r\nx-forwarded-for: 127.0.0.9\r\n"), seen.npos) << seen;
  EXPECT_NE(seen.find("\r\nx-forwarded-proto: http\r\n"), seen.npos) << seen;
  EXPECT_NE(seen.find("\r\nx-forwarded-host: blog.localhost:81\r\n"), seen.npos) << seen;
  EXPECT_NE(seen.find("\r\nx-kept: yes\r\n"), seen.npos) << seen;
  EXPECT_EQ(seen.find("6.6.6"), seen.npos) << seen;
  EXPECT_EQ(seen.find("evil"), seen.npos) << seen;
  EXPECT_EQ(seen.find("https"), seen.npos) << seen;
  EXPECT_NE(seen.find("\r\nx-forwarded-port: 81\r\n"), seen.npos) << seen;
}

// Each name that the documentation lists, sent with a value that must not arrive.
TEST_F(Requests, LoseEveryHeaderThatADocumentedNameMatches) {
  std::string headers;
  for (std::string_view name : kClientClaims) {
    const bool is_prefix = name.ends_with('*');
    if (is_prefix) name.remove_suffix(1);
    headers += fmt::format("{}{}: evil\r\n", name, is_prefix ? "Anything" : "");
  }
  const auto seen = get("blog.localhost", "/echo", headers + "X-Kept: yes\r\nForward: yes\r\n").body;
  EXPECT_EQ(seen.find("evil"), seen.npos) << seen;
  EXPECT_NE(seen.find("\r\nx-kept: yes\r\nforward: yes\r\n"), seen.npos) << seen;
}

TEST_F(Requests, CarryTheNameOfTheRouteInItsOwnSpelling) {
  for (const std::string spelling : {"BLOG.localhost", "blog.localhost.", "Blog.LOCALHOST.."}) {
    for (const std::string port_text : {"", ":", ":81"}) {
      const auto seen = get(spelling + port_text, "/echo").body;
      EXPECT_NE(seen.find("\r\nhost: blog.localhost" + port_text + "\r\n"), seen.npos) << seen;
      EXPECT_NE(seen.find("\r\nx-forwarded-host: blog.localhost" + port_text + "\r\n"), seen.npos) << seen;
    }
  }
}

TEST_F(Requests, WithAHostThatIsMoreThanANameAndAPortAreRefused) {
  for (const std::string host :
       {"blog.localhost:<script>", "blog.localhost:other.localhost", "blog.localhost:80:90", "blog.localhost:-1",
        "blog.localhost:123456", "blog.localhost/", "blog.localhost?", "user@blog.localhost", "blog.localhost:80\t<b>",
        "<b>", "[::1]:<script>", "[::1].localhost", "bl\xc3\xb6g.localhost"}) {
    EXPECT_EQ(get(host).status, 400) << host;
  }
}

TEST_F(Requests, ThatNoAppShouldSeeAreRefused) {
  using namespace std::string_literals;
  for (const auto& [request, status] : std::map<std::string, int>{
           {"CONNECT blog.localhost:80 HTTP/1.1\r\nHost: blog.localhost:80\r\n\r\n", 405},
           {"GET / HTTP/1.1\r\nHost: blog.localhost\r\nX-A: a\0b\r\n\r\n"s, 400},
           {"GET / HTTP/1.1\r\nHost: blog.localhost\r\nX-A: a\x1b[2J\r\n\r\n", 400},
           {"POST / HTTP/1.0\r\nHost: blog.localhost\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400},
       }) {
    Connection client(port());
    client.send_text(request);
    EXPECT_EQ(client.read_response().status, status) << request;
  }
  EXPECT_EQ(blog_.requests(), 0u);
}

TEST_F(Requests, ThatAnnounceATrailerThatOnlyAHeaderMayBeAreRefused) {
  const auto answer = [&](const std::string& trailer) {
    Connection client(port());
    client.send_text("POST / HTTP/1.1\r\nHost: blog.localhost\r\nTrailer: " + trailer +
                     "\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n");
    return client.read_response().status;
  };
  for (const std::string trailer : {"X-Forwarded-For", "x-checksum, X-Real-IP", "Content-Length", "Host",
                                    "Transfer-Encoding", "Authorization", "Cookie", "Via"}) {
    EXPECT_EQ(answer(trailer), 400) << trailer;
  }
  EXPECT_EQ(answer("X-Checksum"), 200);
}

TEST_F(Requests, CannotBeSmuggled) {
  for (const std::string headers : {"Content-Length: 5\r\nContent-Length: 6\r\n", "Content-Length: 5 6\r\n",
                                    "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n", "Bad Name: x\r\n",
                                    "Content-Length : 5\r\n", "Transfer-Encoding: xchunked\r\n"}) {
    Connection client(port());
    client.send_text("POST / HTTP/1.1\r\nHost: blog.localhost\r\n" + headers + "\r\n");
    EXPECT_GE(client.read_response().status, 400) << headers;
  }
  Connection both(port());  // chunked wins, the length goes, and the connection with it
  both.send_text(
      "POST /echo HTTP/1.1\r\nHost: blog.localhost\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n"
      "0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: blog.localhost\r\n\r\n");
  EXPECT_EQ(both.read_response().body.find("ontent-length"), std::string::npos);
}

TEST_F(Requests, DoNotTurnIntoHttp2) {
  const auto seen =
      get("blog.localhost", "/echo", "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMA\r\n")
          .body;
  EXPECT_EQ(seen.find("h2c"), seen.npos) << seen;
  EXPECT_EQ(seen.find("AAMA"), seen.npos) << seen;
  Connection preface(port());
  preface.send_text("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
  EXPECT_EQ(preface.read_response().status, 400);
}

TEST_F(Requests, AreCountedOneByOneOnAConnectionThatStays) {
  Connection client(port());
  for (int number = 0; number < 5; ++number) EXPECT_EQ(client.get("blog.localhost").body, "blog");
  EXPECT_EQ(client.get("shop.localhost").body, "shop");
  EXPECT_EQ(router_->requests_served().at("blog.1.web.1"), 5u);
  EXPECT_EQ(router_->requests_served().at("shop.1.web.1"), 1u);
}

TEST_F(Requests, BecomeWebSockets) {
  Connection client(port());
  client.send_text(
      "GET /ws HTTP/1.1\r\nHost: blog.localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
      "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n");
  EXPECT_EQ(client.read_response(false).status, 101);
  client.send_text("ping");
  EXPECT_EQ(client.read_until("ping"), "ping");
  EXPECT_EQ(in_flight("blog.1.web.1"), 1u);
}

TEST_F(Requests, StreamEventsAsTheyCome) {
  Connection client(port());
  client.send_text("GET /events HTTP/1.1\r\nHost: blog.localhost\r\n\r\n");
  EXPECT_NE(client.read_until("data: one\n\n").find("text/event-stream"), std::string::npos);
  blog_.release();
  EXPECT_NE(client.read_until("data: two\n\n").find("data: two\n\n"), std::string::npos);
}

TEST_F(Requests, AreRepeatedOnlyWhenThatIsSafe) {
  EXPECT_EQ(get("blog.localhost", "/break").status, 502);
  EXPECT_GT(blog_.requests(), 1u);
  const auto before = blog_.requests();
  Connection client(port());
  client.send_text("POST /break HTTP/1.1\r\nHost: blog.localhost\r\nContent-Length: 0\r\n\r\n");
  const auto response = client.read_response();
  EXPECT_EQ(response.status, 502);
  EXPECT_TRUE(response.body.starts_with("502 Bad Gateway")) << response.body;
  EXPECT_EQ(blog_.requests(), before + 1);
}

TEST_F(Requests, GoToAnotherInstanceWhenOneIsGone) {
  Port nobody = listen_anywhere().second;
  router_->apply({{routed("blog", {{instance("blog", 1), blog_.port()}, {instance("blog", 1, 2), nobody}}),
                   routed("idle", {}), routed("shop", {})}});
  for (int number = 0; number < 20; ++number) EXPECT_EQ(get("blog.localhost").body, "blog");
}

TEST_F(Requests, CannotMakeProxiesTakeHeadersAway) {
  const auto seen = get("blog.localhost", "/echo", "Connection: keep-alive, X-Forwarded-For, Host\r\n").body;
  EXPECT_NE(seen.find("x-forwarded-for: 127.0.0.1"), seen.npos) << seen;
  EXPECT_EQ(seen.find("onnection: keep-alive"), seen.npos) << seen;
  EXPECT_EQ(seen.find(", Host"), seen.npos) << seen;
}

TEST_F(Requests, AreLoggedOnALineEach) {
  get("blog.localhost", "/one?q=\"x\"");
  get("other.localhost", "/two");
  // HAProxy's threads write them in no certain order.
  for (const auto* end : {"GET /one?q=#22x#22\n", "GET /two\n"}) {
    ASSERT_TRUE(eventually([&] { return log().find(end) != std::string::npos; })) << log();
  }
  std::vector<AccessLine> lines;
  for (const auto& line : lines_of(log())) {
    if (auto access = parse_access_line(line)) lines.push_back(*access);
  }
  ASSERT_EQ(lines.size(), 2u) << log();
  std::sort(lines.begin(), lines.end(), [](const auto& a, const auto& b) { return a.status < b.status; });
  EXPECT_EQ(lines[0].back_end, "app.blog");
  EXPECT_EQ(lines[0].status, 200u);
  EXPECT_GT(lines[0].bytes, 4u);
  EXPECT_EQ(lines[0].client, "127.0.0.1");
  EXPECT_EQ(lines[0].path, "/one?q=#22x#22");
  EXPECT_EQ(lines[1].back_end, "-");
  EXPECT_EQ(lines[1].status, 404u);
}

// An app that answers with whatever bytes it likes.
class AppAnswers : public LiveRouter {
 protected:
  void SetUp() override {
    std::tie(listener_, port_of_app_) = listen_anywhere();
    start({{routed("blog", {{instance("blog", 1), port_of_app_}})}});
  }
  // What a client gets that asks twice over one connection, until it ends or a moment passes.
  std::string ask(const std::string& answer) {
    Connection client(port());
    client.send_text("POST /one HTTP/1.1\r\nHost: blog.localhost\r\nContent-Length: 0\r\n\r\n");
    const UniqueFd app(accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    char chunk[4096];
    recv(app.get(), chunk, sizeof chunk, 0);
    send(app.get(), answer.data(), answer.size(), MSG_NOSIGNAL);
    shutdown(app.get(), SHUT_WR);
    client.send_text("GET /two HTTP/1.1\r\nHost: nobody.localhost\r\nConnection: close\r\n\r\n");
    return client.read_until("the end");
  }
  UniqueFd listener_;
  Port port_of_app_ = 0;
};

unsigned times(const std::string& text, const std::string& what) {
  unsigned count = 0;
  for (auto at = text.find(what); at != text.npos; at = text.find(what, at + 1)) ++count;
  return count;
}

TEST_F(AppAnswers, DoNotDesyncTheConnection) {
  const std::string smuggled = "HTTP/1.1 200 OK\r\nX-Smuggled: yes\r\nContent-Length: 0\r\n\r\n";
  for (const std::string head :
       {"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "Content-Length: 4\r\n\r\nbody",
        "Content-Length: 0\r\n\r\n", "Content-Length: 4\r\nContent-Length: 5\r\n\r\nbody",
        "Transfer-Encoding: chunked\r\n\r\nzz\r\nbody\r\n0\r\n\r\n",
        "Transfer-Encoding: chunked\r\n\r\n4\nbody\r\n0\r\n\r\n", "X-A: b\nX-B: c\r\nContent-Length: 0\r\n\r\n",
        "X A: b\r\nContent-Length: 0\r\n\r\n", "X-A: b\rX-B: c\r\nContent-Length: 0\r\n\r\n",
        "Content-Length: -1\r\n\r\n"}) {
    const auto got = ask("HTTP/1.1 200 OK\r\n" + head + smuggled);
    EXPECT_EQ(times(got, "X-Smuggled") + times(got, "x-smuggled"), 0u) << head << "\n---\n" << got;
    EXPECT_LE(times(got, "HTTP/1.1 "), 2u) << head << "\n---\n" << got;
  }
}

TEST_F(AppAnswers, SayNothingOfTheConnection) {
  auto got =
      ask("HTTP/1.1 200 OK\r\nConnection: keep-alive, X-Kept\r\nKeep-Alive: timeout=9999\r\nUpgrade: h2c\r\n"
          "Proxy-Authenticate: Basic\r\nX-Kept: yes\r\nContent-Length: 0\r\n\r\n");
  got = got.substr(0, got.find("\r\n\r\n"));
  for (const std::string name : {"connection: keep-alive", "keep-alive:", "h2c", "proxy-"}) {
    EXPECT_EQ(got.find(name), got.npos) << got;
  }
  EXPECT_NE(got.find("x-kept: yes"), got.npos) << got;
}

TEST_F(AppAnswers, SetNoCookiesForOtherApps) {
  const auto got =
      ask("HTTP/1.1 200 OK\r\n"
          "Set-Cookie: a=1; Domain=localhost; Path=/\r\n"
          "Set-Cookie: b=2; path=/; DOMAIN = .LocalHost.\r\n"
          "Set-Cookie: c=3; Domain=blog.localhost; Path=/\r\n"
          "Set-Cookie: d=4; Domain=localhost; domain=localhost; Secure\r\n"
          "Set-Cookie: e=5;Domain=localhost;Domain=localhost;Domain=localhost\r\n"
          "Set-Cookie: f=6, Domain=localhost; Path=/x\r\n"
          "Content-Length: 0\r\n\r\n");
  EXPECT_NE(got.find("set-cookie: a=1; Path=/\r\n"), got.npos) << got;
  EXPECT_NE(got.find("set-cookie: b=2; path=/\r\n"), got.npos) << got;
  EXPECT_NE(got.find("set-cookie: c=3; Domain=blog.localhost; Path=/\r\n"), got.npos) << got;
  EXPECT_NE(got.find("set-cookie: d=4; Secure\r\n"), got.npos) << got;
  EXPECT_EQ(got.find(";Domain=localhost"), got.npos) << got;
  EXPECT_NE(got.find("set-cookie: f=6, Domain=localhost; Path=/x\r\n"), got.npos) << "part of the value\n" << got;
}

class RequestTargets : public AppAnswers {
 protected:
  // The request line and the host that the app gets for this request.
  std::string seen_for(const std::string& line, const std::string& headers) {
    Connection client(port());
    client.send_text(line + "\r\n" + headers + "Connection: close\r\n\r\n");
    const UniqueFd app(accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    std::string seen;
    char chunk[4096];
    while (seen.find("\r\n\r\n") == seen.npos) {
      const auto got = recv(app.get(), chunk, sizeof chunk, 0);
      if (got <= 0) return "(nothing)";
      seen.append(chunk, static_cast<std::size_t>(got));
    }
    const std::string answer = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
    send(app.get(), answer.data(), answer.size(), MSG_NOSIGNAL);
    EXPECT_EQ(client.read_response().status, 200) << line;
    const auto host = seen.find("\r\nhost: ");
    return seen.substr(0, seen.find("\r\n")) +
           (host == seen.npos ? "" : " @" + seen.substr(host + 8, seen.find("\r\n", host + 2) - host - 8));
  }
};

TEST_F(RequestTargets, AreInOriginFormForApps) {
  const std::string host = "Host: blog.localhost\r\n";
  const std::string seen_host = " HTTP/1.1 @blog.localhost";
  for (const auto& [target, seen] : std::map<std::string, std::string>{
           {"/x?y=http://a/b", "/x?y=http://a/b"},
           {"//a/b", "//a/b"},
           {"http://blog.localhost/x?y=1&z", "/x?y=1&z"},
           {"http://blog.localhost/?y", "/?y"},
           {"HTTP://BLOG.localhost/a//b/http://c/", "/a//b/http://c/"},
           {"https://blog.localhost/x", "/x"},
           {"http://blog.localhost:80/x", "/x"},
           {"http://blog.localhost", "/"},
           {"http://ann:secret@blog.localhost/x", "/x"},
       }) {
    EXPECT_EQ(seen_for("GET " + target + " HTTP/1.1", host), "GET " + seen + seen_host) << target;
  }
  EXPECT_EQ(seen_for("OPTIONS * HTTP/1.1", host), "OPTIONS *" + seen_host);
  EXPECT_EQ(seen_for("GET http://blog.localhost:8080/x HTTP/1.1", "Host: blog.localhost:8080\r\n"),
            "GET /x HTTP/1.1 @blog.localhost:8080");
}

TEST_F(RequestTargets, NameTheHostWhereNoHeaderDoes) {
  EXPECT_EQ(seen_for("GET http://blog.localhost/x HTTP/1.0", ""), "GET /x HTTP/1.0 @blog.localhost");
  EXPECT_EQ(seen_for("GET http://ann:secret@blog.localhost:8080/?y=1 HTTP/1.0", ""),
            "GET /?y=1 HTTP/1.0 @blog.localhost:8080");
}

}  // namespace
}  // namespace pushrod
