// Requests to other servers: what curl is told, and what its answers mean.
#include "fetch/fetch.hh"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <thread>

#include "os/retry.hh"
#include "os/socket.hh"

namespace pushrod {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST(FetchCommand, AsksTheGivenAddress) {
  const auto v4 = fetch_command({.url = "http://www.example.com/", .address = "203.0.113.7"}).argv;
  EXPECT_THAT(v4, testing::IsSupersetOf({"--connect-to", "::203.0.113.7:", "http://www.example.com/"}));
  const auto v6 = fetch_command({.url = "http://www.example.com/", .address = "2001:db8::7"}).argv;
  EXPECT_THAT(v6, testing::IsSupersetOf({"--connect-to", "::[2001:db8::7]:"}));
}

TEST(FetchedAnswer, HasStatusHeadersAndBody) {
  const auto answer = parse_fetched("HTTP/1.1 404 Not Found\r\nServer: nginx\r\nRetry-After:  60 \r\n\r\na\r\n\r\nb");
  EXPECT_EQ(answer.status, 404);
  EXPECT_EQ(answer.headers.at("server"), "nginx");
  EXPECT_EQ(answer.headers.at("retry-after"), "60");
  EXPECT_EQ(answer.body, "a\r\n\r\nb");
}

TEST(FetchedAnswer, IsTheLastOfSeveral) {
  EXPECT_EQ(parse_fetched("HTTP/1.1 103 Early Hints\r\nA: b\r\n\r\nHTTP/1.1 200 OK\r\n\r\nbody").status, 200);
}

TEST(FetchedAnswer, IsNoneWhenItIsNotHttp) {
  for (const char* text :
       {"", "SSH-2.0-OpenSSH", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 x\r\n\r\n", "HTTP/1.1 100 C\r\n\r\n"}) {
    EXPECT_EQ(parse_fetched(text).status, 0) << text;
  }
}

TEST(Fetch, TalksToARealServer) {
  const auto listener = listen_on("127.0.0.1", 0);
  sockaddr_in address{};
  socklen_t size = sizeof address;
  ASSERT_EQ(getsockname(listener.get(), reinterpret_cast<sockaddr*>(&address), &size), 0);
  std::string request(4096, '\0');
  std::thread server([&] {
    wait_for(listener.get(), POLLIN, Deadline(Milliseconds{5'000}));
    const UniqueFd client(accept(listener.get(), nullptr, nullptr));
    request.resize(static_cast<std::size_t>(std::max<ssize_t>(0, read(client.get(), request.data(), request.size()))));
    constexpr std::string_view kAnswer = "HTTP/1.1 200 OK\r\nServer: other\r\nContent-Length: 2\r\n\r\nhi";
    static_cast<void>(!write(client.get(), kAnswer.data(), kAnswer.size()));
  });
  const auto port = ntohs(address.sin_port);
  const auto answer = fetch({.url = "http://www.example.com:" + std::to_string(port) + "/a", .address = "127.0.0.1"});
  server.join();
  EXPECT_EQ(answer.status, 200) << answer.error;
  EXPECT_EQ(answer.body, "hi");
  EXPECT_THAT(request, HasSubstr("GET /a HTTP/1.1\r\nHost: www.example.com:"));
}

TEST(Fetch, SaysWhyThereIsNoAnswer) {
  const auto answer = fetch({.url = "http://127.0.0.1:1/"});
  EXPECT_EQ(answer.status, 0);
  EXPECT_THAT(answer.error, HasSubstr("connect"));
}

}  // namespace
}  // namespace pushrod
