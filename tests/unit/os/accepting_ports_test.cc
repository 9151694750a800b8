// Which ports accept connections, as the kernel tells.
#include "os/accepting_ports.hh"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <vector>

#include "os/unique_fd.hh"

namespace pushrod {
namespace {

struct Listening {
  UniqueFd fd;
  Port port = 0;
};

Listening listen_at(const char* address, int queue = 8) {
  Listening made{UniqueFd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0))};
  sockaddr_in where{};
  where.sin_family = AF_INET;
  inet_pton(AF_INET, address, &where.sin_addr);
  socklen_t size = sizeof where;
  EXPECT_EQ(bind(made.fd.get(), reinterpret_cast<const sockaddr*>(&where), size), 0);
  if (queue >= 0) {
    EXPECT_EQ(listen(made.fd.get(), queue), 0);
  }
  EXPECT_EQ(getsockname(made.fd.get(), reinterpret_cast<sockaddr*>(&where), &size), 0);
  made.port = ntohs(where.sin_port);
  return made;
}

Listening listen_at_v6(bool only) {
  Listening made{UniqueFd(socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0))};
  if (!made.fd) return made;
  const int value = only ? 1 : 0;
  EXPECT_EQ(setsockopt(made.fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, &value, sizeof value), 0);
  sockaddr_in6 where{};
  where.sin6_family = AF_INET6;
  socklen_t size = sizeof where;
  if (bind(made.fd.get(), reinterpret_cast<const sockaddr*>(&where), size) != 0) return {};
  EXPECT_EQ(listen(made.fd.get(), 8), 0);
  EXPECT_EQ(getsockname(made.fd.get(), reinterpret_cast<sockaddr*>(&where), &size), 0);
  made.port = ntohs(where.sin6_port);
  return made;
}

bool accepts(Port port) { return accepting_ports().value().contains(port); }

TEST(AcceptingPorts, ThoseThatTakeAConnectionTo127001) {
  const auto loopback = listen_at("127.0.0.1"), any = listen_at("0.0.0.0"), other = listen_at("127.0.0.2");
  EXPECT_TRUE(accepts(loopback.port));
  EXPECT_TRUE(accepts(any.port));
  EXPECT_FALSE(accepts(other.port));
}

TEST(AcceptingPorts, NotThoseThatAreOnlyBound) {
  const auto bound = listen_at("127.0.0.1", -1);
  EXPECT_FALSE(accepts(bound.port));
}

TEST(AcceptingPorts, SocketsOfIpv6UnlessTheyTakeNothingElse) {
  const auto both = listen_at_v6(false), only = listen_at_v6(true);
  if (both.port == 0 || only.port == 0) GTEST_SKIP() << "this kernel has no IPv6";
  EXPECT_TRUE(accepts(both.port));
  EXPECT_FALSE(accepts(only.port));
}

TEST(AcceptingPorts, NotThoseWhoseQueueIsFull) {
  const auto narrow = listen_at("127.0.0.1", 0);
  EXPECT_TRUE(accepts(narrow.port));
  const UniqueFd client{socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  sockaddr_in where{};
  where.sin_family = AF_INET;
  where.sin_port = htons(narrow.port);
  where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  ASSERT_EQ(connect(client.get(), reinterpret_cast<const sockaddr*>(&where), sizeof where), 0);
  EXPECT_FALSE(accepts(narrow.port));
}

TEST(AcceptingPorts, AllOfMany) {
  std::vector<Listening> many;
  for (int i = 0; i < 400; ++i) many.push_back(listen_at("127.0.0.1"));
  const auto ports = accepting_ports().value();
  for (const auto& each : many) EXPECT_TRUE(ports.contains(each.port));
}

TEST(AcceptingPorts, ConnectionsThatWaitAreCounted) {
  const auto listening = listen_at("127.0.0.1");
  EXPECT_EQ(connections_waiting_at(listening.port), 0U);
  const UniqueFd client(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in where{};
  where.sin_family = AF_INET;
  where.sin_port = htons(listening.port);
  inet_pton(AF_INET, "127.0.0.1", &where.sin_addr);
  ASSERT_EQ(connect(client.get(), reinterpret_cast<const sockaddr*>(&where), sizeof where), 0);
  EXPECT_EQ(connections_waiting_at(listening.port), 1U);
  const UniqueFd accepted(accept(listening.fd.get(), nullptr, nullptr));
  EXPECT_EQ(connections_waiting_at(listening.port), 0U);
}

}  // namespace
}  // namespace pushrod
