// Requests to instances, through a real HAProxy.
#include <thread>

#include "fixtures.hh"

namespace pushrod {
namespace {

using testing::IsEmpty;
using testing::UnorderedElementsAre;

class Requests : public LocalTest {
 protected:
  void start(const std::vector<TrafficTarget>& targets) {
    auto command = ingress_.prepare(targets);
    command.inherit = listeners_.of(settings_);
    haproxy_.emplace(ChildProcess::start(command, -1, -1, -1));
    // It tells of its apps as soon as it answers.
    ASSERT_TRUE(eventually([&] { return !ingress_.idleness().empty(); }));
  }
  Backend backend(const AppServer& server, ReleaseNumber release) const {
    return {instance("blog", release), loopback(server.port())};
  }
  std::string get() const { return Connection(settings_.http.port).get("blog.localhost").body; }

  AppServer old_{"old"}, new_{"new"};
  std::optional<ChildProcess> haproxy_;
};

TEST_F(Requests, GoToTheInstancesOfTheirApp) {
  const std::vector<TrafficTarget> targets{target("shop", {}), target("blog", {backend(old_, 1)})};
  start(targets);
  EXPECT_FALSE(ingress_.is_routed(targets)) << "it has found out that blog takes idle connections";
  ingress_.route(targets);
  EXPECT_TRUE(ingress_.is_routed(targets));
  EXPECT_EQ(get(), "old");
  EXPECT_EQ(ingress_.requests_served(), (std::map<InstanceName, std::uint64_t>{{instance("blog", 1), 1}}));
  EXPECT_EQ(ingress_.requests_in_flight(), (std::map<InstanceName, unsigned>{{instance("blog", 1), 0}}));
  const auto idle = ingress_.idleness();
  EXPECT_EQ(idle.size(), 2U);
  EXPECT_TRUE(idle.at(AppName::parse("blog")).idle_for);
  EXPECT_FALSE(idle.at(AppName::parse("shop")).idle_for) << "it has had none";
}

TEST_F(Requests, InFlightAreCountedUntilTheyEndAlsoOutOfTheRoutes) {
  start({target("blog", {backend(old_, 1)})});
  Connection client(settings_.http.port);
  client.send_text("GET /hold HTTP/1.1\r\nHost: blog.localhost\r\n\r\n");
  const auto in_flight = [&](ReleaseNumber release) {
    const auto counts = ingress_.requests_in_flight();
    const auto found = counts.find(instance("blog", release));
    return found == counts.end() ? -1 : static_cast<int>(found->second);
  };
  ASSERT_TRUE(eventually([&] { return in_flight(1) == 1; }));

  const std::vector<TrafficTarget> targets{target("blog", {backend(new_, 2)})};
  EXPECT_FALSE(ingress_.is_routed(targets));
  ingress_.route(targets);
  EXPECT_TRUE(ingress_.is_routed(targets));
  EXPECT_EQ(get(), "new");
  EXPECT_EQ(in_flight(1), 1);

  old_.release();
  EXPECT_EQ(client.read_response().body, "old");
  EXPECT_TRUE(eventually([&] { return in_flight(1) == 0; }));
  ingress_.forget({instance("blog", 1)});
  EXPECT_EQ(in_flight(1), -1);
  EXPECT_EQ(in_flight(2), 0);
  EXPECT_NO_THROW(ingress_.forget({instance("blog", 1)})) << "once more";
}

TEST_F(Requests, OfARouterThatDoesNotRunAreNone) {
  const std::vector<TrafficTarget> targets{target("blog", {backend(old_, 1)})};
  EXPECT_TRUE(ingress_.is_routed(targets)) << "it reads its routes when it starts";
  EXPECT_THAT(ingress_.idleness(), IsEmpty());
  EXPECT_THAT(ingress_.requests_in_flight(), IsEmpty());
  EXPECT_THAT(ingress_.requests_served(), IsEmpty());
}

TEST(WakeCall, NamesAnApp) {
  EXPECT_EQ(app_of_wake_call("app.blog\n"), AppName::parse("blog"));
  EXPECT_EQ(app_of_wake_call("blog\n"), std::nullopt);
  EXPECT_EQ(app_of_wake_call(""), std::nullopt);
}

}  // namespace
}  // namespace pushrod
