// Heads of requests and answers that pass, and the pages that clients get when one does not.
#include "live_router.hh"
#include "router/access_log.hh"

namespace pushrod {
namespace {

class Heads : public LiveRouter {
 protected:
  void SetUp() override { start({{routed("blog", {{instance("blog", 1), blog_.port()}})}}); }
  // Sends a head and reads the answer.
  Response answer(const std::string& head) {
    Connection client(port());
    client.send_text(head);
    return client.read_response();
  }
  // Of the last line of the access log, once it has that many.
  AccessLine logged(std::size_t count) {
    std::vector<std::string> lines;
    EXPECT_TRUE(eventually([&] {
      lines = lines_of(log());
      std::erase_if(lines, [](const std::string& line) { return !line.starts_with(kAccessMark); });
      return lines.size() >= count;
    })) << log();
    return lines.empty() ? AccessLine{} : parse_access_line(lines.back()).value_or(AccessLine{});
  }
  AppServer blog_{"blog"};
};

TEST_F(Heads, ThatAreLongPassInBothDirections) {
  const std::string cookie(32'768, 'c');
  const auto echo = get("blog.localhost", "/echo", "Cookie: " + cookie + "\r\n");
  EXPECT_EQ(echo.status, 200);
  EXPECT_NE(echo.body.find(cookie), echo.body.npos);
  std::string many;
  for (int number = 0; number < 150; ++number)
    many += fmt::format("X-Header-{}: {}\r\n", number, std::string(150, 'x'));
  EXPECT_NE(get("blog.localhost", "/echo", many).body.find("-149: xxx"), std::string::npos);
  for (const std::size_t length : {32'768, 35'000}) {
    const auto answer = get("blog.localhost", fmt::format("/header-of-{}", length));
    EXPECT_EQ(answer.status, 200);
    EXPECT_NE(answer.head.find(std::string(length, 'x')), std::string::npos);
  }
}

TEST_F(Heads, ThatAreTooLongGetAPageAndALogLine) {
  const auto request = get("blog.localhost", "/", "Cookie: " + std::string(35'500, 'c') + "\r\n");
  EXPECT_EQ(request.status, 431);
  EXPECT_TRUE(
      request.body.starts_with("431 Request Header Fields Too Large\n\nThe headers of this request are longer "))
      << request.body;
  EXPECT_TRUE(request.has("cache-control: no-store")) << request.head;
  EXPECT_EQ(logged(1).status, 431u);
  const auto response = get("blog.localhost", "/header-of-38000");
  EXPECT_EQ(response.status, 502);
  EXPECT_NE(response.body.find("35 kB of headers"), std::string::npos) << response.body;
  EXPECT_EQ(logged(2).status, 502u);
  EXPECT_EQ(logged(2).client, "127.0.0.1");
  EXPECT_EQ(get("blog.localhost", "/", "Cookie: " + std::string(38'000, 'c') + "\r\n").status, 400);
  EXPECT_EQ(logged(3).status, 400u);
  EXPECT_EQ(logged(3).client, "127.0.0.1");
}

TEST_F(Heads, ThatAreRefusedGetAPageThatNamesTheCause) {
  const std::string host = "Host: blog.localhost\r\n";
  const std::pair<std::string, const char*> cases[] = {
      {"GET / HTTP/1.1\r\nHost: blog.localhost:x\r\n\r\n", "Host header"},
      {"GET / HTTP/1.1\r\n" + host + "X-A: a\x1b[2J\r\n\r\n", "control characters"},
      {"POST / HTTP/1.0\r\n" + host + "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "Transfer-Encoding"},
      {"GET / HTTP/1.1\r\n" + host + "Trailer: X-Forwarded-For\r\n\r\n", "Trailer header"},
  };
  std::size_t lines = 0;
  for (const auto& [head, cause] : cases) {
    const auto page = answer(head);
    EXPECT_EQ(page.status, 400) << head;
    EXPECT_NE(page.body.find(cause), page.body.npos) << head << page.body;
    EXPECT_EQ(logged(++lines).client, "127.0.0.1") << head;
  }
  EXPECT_EQ(answer("CONNECT blog.localhost:80 HTTP/1.1\r\nHost: blog.localhost:80\r\n\r\n").body,
            "405 Method Not Allowed\n\nThe router makes no tunnels (CONNECT).\n");
  EXPECT_EQ(blog_.requests(), 0u);
}

TEST_F(Heads, WithBytesOutsideOfAsciiInTheTargetAreRefused) {
  for (const std::string target : {"/\xc3\xa4", "/?q=\xc3\xa4"}) {
    EXPECT_EQ(answer("GET " + target + " HTTP/1.1\r\nHost: blog.localhost\r\n\r\n").status, 400) << target;
  }
  EXPECT_EQ(get("blog.localhost", "/%C3%A4").status, 200);
  EXPECT_EQ(get("blog.localhost", "/", "X-Name: \xc3\xa4\r\n").status, 200) << "headers may have them";
}

}  // namespace
}  // namespace pushrod
