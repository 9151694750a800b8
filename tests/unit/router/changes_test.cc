// Which commands make an observed state the wanted one.
#include "router/changes.hh"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace pushrod {
namespace {

using Commands = std::vector<std::string>;

RoutingTable blog_with(std::vector<std::pair<ReleaseNumber, Port>> servers) {
  RoutedApp app{AppName::parse("blog"), {{RoutePoint::parse("blog.localhost")}}, {}};
  for (const auto& [release, port] : servers) {
    app.servers.push_back({{app.app, release, ProcessType::parse("web"), 1}, port});
  }
  return {{app}};
}

// As HAProxy knows it: a plain app's slot.
ServerState blog_server(const std::string& release, Port port, unsigned admin = 0) {
  return {"slot.1", "blog." + release + ".web.1", "127.0.0.1", port, 2, admin};
}

const Maps kBlogRuns{{{"blog.localhost/", "app.blog"}}, {{"app.blog", "slot.1"}}, {}};

Maps with_modes(MapEntries modes) {
  auto maps = kBlogRuns;
  maps.modes = std::move(modes);
  return maps;
}

// blog has slot.1 from the start.
Rendering rendered(const RoutingTable& table) {
  return render({}, table, assign_slots(table, assign_slots(blog_with({}), {})));
}
Commands changes(const RoutingTable& table, const std::vector<ServerState>& servers, const Maps& maps = kBlogRuns) {
  return changes_to(rendered(table), servers, maps);
}

TEST(Changes, BringNewServersInBeforeOldOnesLeave) {
  EXPECT_EQ(changes(blog_with({{15, 20002}}), {blog_server("14", 20001)}),
            (Commands{"add server slot.1/blog.15.web.1 127.0.0.1:20002", "set server slot.1/blog.15.web.1 state ready",
                      "set server slot.1/blog.14.web.1 state drain"}));
}

TEST(Changes, GiveNewServersOfAStickyAppTheirCookieAndTakeOldOnesTheirs) {
  auto table = blog_with({{15, 20002}});
  table.apps[0].sticky = true;
  const Maps maps{{{"blog.localhost/", "app.blog"}}, {{"app.blog", "sticky.1"}}, {}};
  const ServerState old_server{"sticky.1", "blog.14.web.1", "127.0.0.1", 20001, 2, 0};
  EXPECT_EQ(
      changes(table, {old_server}, maps),
      (Commands{"add server sticky.1/blog.15.web.1 127.0.0.1:20002", "enable dynamic-cookie backend sticky.1",
                "set server sticky.1/blog.15.web.1 state ready", "set server sticky.1/blog.14.web.1 state maint"}));
}

TEST(Changes, MoveAnAppThatBecomesSticky) {
  auto table = blog_with({{15, 20002}});
  table.apps[0].sticky = true;
  EXPECT_EQ(changes(table, {blog_server("14", 20001)}),
            (Commands{"add server sticky.1/blog.15.web.1 127.0.0.1:20002", "enable dynamic-cookie backend sticky.1",
                      "set server sticky.1/blog.15.web.1 state ready", "set map slots.map app.blog sticky.1",
                      "set server slot.1/blog.14.web.1 state drain"}));
}

TEST(Changes, AreNoneWhenAllIsAsWanted) {
  EXPECT_TRUE(
      changes(blog_with({{15, 20002}}),
              {blog_server("15", 20002), blog_server("14", 20001, 8), {"current-worker", "current", "-", 0, 2, 0}})
          .empty());
}

TEST(Changes, BringBackAServerThatWasLeaving) {
  EXPECT_EQ(changes(blog_with({{14, 20001}}), {blog_server("14", 20001, 8)}),
            (Commands{"set server slot.1/blog.14.web.1 state ready"}));
}

TEST(Changes, CorrectAPort) {
  EXPECT_EQ(changes(blog_with({{14, 20009}}), {blog_server("14", 20001)}),
            (Commands{"set server slot.1/blog.14.web.1 addr 127.0.0.1 port 20009"}));
}

TEST(Changes, FinishAServerThatWasAddedAndNotMadeReady) {
  EXPECT_EQ(changes(blog_with({{14, 20001}}), {blog_server("14", 20001, 1)}),
            (Commands{"set server slot.1/blog.14.web.1 state ready"}));
}

TEST(Changes, ForgetAnAppThatIsGone) {
  EXPECT_EQ(changes({}, {blog_server("14", 20001)}),
            (Commands{"del map hosts.map blog.localhost/", "del map slots.map app.blog",
                      "set server slot.1/blog.14.web.1 state drain"}));
}

TEST(Changes, GiveANewAppAFreeSlotAndItsServersBeforeItsHosts) {
  auto table = blog_with({{14, 20001}});
  RoutedApp shop{AppName::parse("shop"), {{RoutePoint::parse("www.example.com/shop")}}, {}};
  shop.servers.push_back({{shop.app, 1, ProcessType::parse("web"), 1}, 20005});
  table.apps.push_back(shop);
  EXPECT_EQ(changes(table, {blog_server("14", 20001)}),
            (Commands{"add server slot.2/shop.1.web.1 127.0.0.1:20005", "set server slot.2/shop.1.web.1 state ready",
                      "add map slots.map app.shop slot.2", "add map hosts.map www.example.com/shop/ app.shop"}));
}

TEST(Changes, TakeTheServersOfAnAppThatIsGoneOutOfASlotBeforeItHasAnother) {
  RoutedApp shop{AppName::parse("shop"), {{RoutePoint::parse("shop.localhost")}}, {}};
  shop.servers.push_back({{shop.app, 1, ProcessType::parse("web"), 1}, 20005});
  // The files know nothing of blog any more; the worker does.
  const RoutingTable table{{shop}};
  EXPECT_EQ(changes_to(render({}, table, assign_slots(table, {})), {blog_server("14", 20001)}, kBlogRuns),
            (Commands{"del map hosts.map blog.localhost/", "set server slot.1/blog.14.web.1 state drain",
                      "add server slot.1/shop.1.web.1 127.0.0.1:20005", "set server slot.1/shop.1.web.1 state ready",
                      "add map slots.map app.shop slot.1", "add map hosts.map shop.localhost/ app.shop",
                      "del map slots.map app.blog"}));
}

TEST(Changes, LeadAHostToAnotherAppAtOnce) {
  auto table = blog_with({});
  table.apps.push_back({AppName::parse("shop"), std::move(table.apps[0].routes), {}});
  table.apps[0].routes.clear();
  const Maps maps{{{"blog.localhost/", "app.blog"}}, {{"app.blog", "slot.1"}, {"app.shop", "slot.2"}}, {}};
  EXPECT_EQ(changes(table, {}, maps), (Commands{"set map hosts.map blog.localhost/ app.shop"}));
}

TEST(Changes, LeadTheHostsOfARenamedAppToItsNewNameBeforeTheOldOneGoes) {
  RoutedApp shop{AppName::parse("shop"), {{RoutePoint::parse("www.example.com")}}, {}};
  shop.servers.push_back({{shop.app, 15, ProcessType::parse("web"), 1}, 20002});
  const Maps maps{{{"www.example.com/", "app.blog"}}, {{"app.blog", "slot.1"}}, {}};
  EXPECT_EQ(changes({{shop}}, {blog_server("14", 20001)}, maps),
            (Commands{"add server slot.2/shop.15.web.1 127.0.0.1:20002", "set server slot.2/shop.15.web.1 state ready",
                      "add map slots.map app.shop slot.2", "set map hosts.map www.example.com/ app.shop",
                      "del map slots.map app.blog", "set server slot.1/blog.14.web.1 state drain"}));
}

RoutingTable blog_in(TrafficMode mode, std::vector<std::pair<ReleaseNumber, Port>> servers) {
  auto table = blog_with(std::move(servers));
  table.apps[0].mode = mode;
  return table;
}

TEST(Changes, HoldBeforeTheOldServerLeaves) {
  EXPECT_EQ(changes(blog_in(TrafficMode::Hold, {}), {blog_server("14", 20001)}),
            (Commands{"add map modes.map app.blog hold", "set server slot.1/blog.14.web.1 state drain"}));
}

TEST(Changes, LetRequestsGoOnceTheNewServerIsThere) {
  EXPECT_EQ(changes(blog_with({{15, 20002}}), {}, with_modes({{"app.blog", "hold"}, {"app.gone", "stopped"}})),
            (Commands{"add server slot.1/blog.15.web.1 127.0.0.1:20002", "set server slot.1/blog.15.web.1 state ready",
                      "del map modes.map app.blog", "del map modes.map app.gone"}));
}

TEST(Changes, TurnOneModeIntoAnother) {
  EXPECT_EQ(changes(blog_in(TrafficMode::Stopped, {}), {}, with_modes({{"app.blog", "hold"}})),
            (Commands{"set map modes.map app.blog stopped"}));
  EXPECT_TRUE(changes(blog_in(TrafficMode::Stopped, {}), {}, with_modes({{"app.blog", "stopped"}})).empty());
}

TEST(Changes, NameAnOwnPageByItsContent) {
  auto table = blog_in(TrafficMode::Maintenance, {});
  EXPECT_EQ(changes(table, {}), (Commands{"add map modes.map app.blog maintenance"}));
  table.apps[0].page = "one";
  const auto one = changes(table, {});
  table.apps[0].page = "two";
  EXPECT_NE(changes(table, {}), one);
  EXPECT_TRUE(one.front().starts_with("add map modes.map app.blog pages/own."));
}

TEST(Changes, ComeInLinesThatHaproxyCanRead) {
  Commands commands;
  for (int number = 0; number < 1000; ++number)
    commands.push_back(fmt::format("set server app.blog/{}.web.1 state drain", number));
  const auto batches = in_batches(commands);
  std::string joined;
  for (const auto& batch : batches) {
    EXPECT_LE(batch.size(), 8'192u);
    joined += (joined.empty() ? "" : "; ") + batch;
  }
  std::string expected;
  for (const auto& command : commands) expected += (expected.empty() ? "" : "; ") + command;
  EXPECT_EQ(joined, expected);
}

}  // namespace
}  // namespace pushrod
