// Which servers may be given idle connections.
#include "engine/local/keep_alive.hh"

#include "fixtures.hh"

namespace pushrod {
namespace {

class IdleConnections : public LocalTest {
 protected:
  static std::vector<TrafficTarget> at(Port port) {
    return {target("blog", {{instance("blog", 1), loopback(port)}, {instance("blog", 2), loopback(port)}})};
  }
};

TEST_F(IdleConnections, AreTakenByAServerThatAcceptsAllOfThem) {
  const AppServer server("blog");
  EXPECT_TRUE(accepts_idle_connections(server.port()));
  const KeepAlive keep_alive(layout_);
  EXPECT_FALSE(keep_alive.is_complete(at(server.port())));
  keep_alive.find_out(at(server.port()));
  EXPECT_TRUE(keep_alive.is_complete(at(server.port())));
  EXPECT_EQ(keep_alive.known(at(server.port())), (std::set{instance("blog", 1), instance("blog", 2)}));
  keep_alive.forget({instance("blog", 1)});
  EXPECT_EQ(keep_alive.known(at(server.port())), std::set{instance("blog", 2)});
}

TEST_F(IdleConnections, AreNotKeptNorTestedWhereNoOtherTryIs) {
  const AppServer server("blog");
  auto sticky = at(server.port()), h2 = at(server.port());
  sticky[0].sticky = true;
  EXPECT_TRUE(may_keep_connections(sticky[0]));
  sticky[0].backends.pop_back();
  h2[0].backends[1].h2 = true;
  const KeepAlive keep_alive(layout_);
  for (const auto& targets : {sticky, h2}) {
    EXPECT_FALSE(may_keep_connections(targets[0]));
    EXPECT_TRUE(keep_alive.is_complete(targets));
    keep_alive.find_out(targets);
    EXPECT_TRUE(keep_alive.known(targets).empty());
  }
  auto one = at(server.port());
  one[0].backends.pop_back();
  EXPECT_TRUE(may_keep_connections(one[0]));
}

TEST_F(IdleConnections, AreNotTakenByAServerThatHandlesOneAtATime) {
  const auto [listener, port] = listen_anywhere();
  std::thread one([fd = listener.get()] {
    const UniqueFd connection(accept4(fd, nullptr, nullptr, SOCK_CLOEXEC));
    char byte = 0;
    EXPECT_EQ(recv(connection.get(), &byte, 1, 0), 0) << "nothing is sent";
  });
  EXPECT_FALSE(accepts_idle_connections(port));
  one.join();
  const KeepAlive keep_alive(layout_);
  keep_alive.find_out(at(port));
  EXPECT_TRUE(keep_alive.is_complete(at(port)));
  EXPECT_TRUE(keep_alive.known(at(port)).empty());
}

TEST_F(IdleConnections, AreTestedForManyServersWithoutALongWait) {
  std::vector<UniqueFd> listeners;
  std::vector<TrafficTarget> targets{target("blog", {})};
  for (unsigned number = 1; number <= 100; ++number) {
    auto [listener, port] = listen_anywhere();
    targets[0].backends.push_back({instance("blog", number), loopback(port)});
    listeners.push_back(std::move(listener));
  }
  const KeepAlive keep_alive(layout_);
  unsigned calls = 0;
  for (; !keep_alive.is_complete(targets) && calls < 50; ++calls) {
    const Stopwatch watch;
    keep_alive.find_out(targets);
    EXPECT_LT(watch.elapsed(), Milliseconds{5'000}) << "one after the other takes ten seconds";
  }
  EXPECT_TRUE(keep_alive.is_complete(targets));
  EXPECT_GT(calls, 1u);
  EXPECT_TRUE(keep_alive.known(targets).empty());
}

TEST_F(IdleConnections, AreNoQuestionWhereNothingListens) {
  const auto port = listen_anywhere().second;
  EXPECT_FALSE(accepts_idle_connections(port));
  EXPECT_TRUE(KeepAlive(layout_).is_complete(at(port))) << "it is asked once it listens";
}

}  // namespace
}  // namespace pushrod
