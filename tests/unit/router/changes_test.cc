// Which commands make an observed state the wanted one.
#include "router/changes.hh"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace pushrod {
namespace {

using Commands = std::vector<std::string>;

RoutingTable blog_with(std::vector<std::pair<ReleaseNumber, Port>> servers) {
  RoutedApp app{AppName::parse("blog"), {"blog.localhost"}, {}};
  for (const auto& [release, port] : servers) {
    app.servers.push_back({{app.app, release, ProcessType::parse("web"), 1}, port});
  }
  return {{app}};
}

ServerState blog_server(const std::string& name, Port port, unsigned admin = 0) {
  return {"app.blog", name, "127.0.0.1", port, 2, admin};
}

TEST(Changes, BringNewServersInBeforeOldOnesLeave) {
  EXPECT_EQ(changes_to(blog_with({{15, 20002}}), {blog_server("14.web.1", 20001)}, {}),
            (Commands{"add server app.blog/15.web.1 127.0.0.1:20002", "set server app.blog/15.web.1 state ready",
                      "set server app.blog/14.web.1 state drain"}));
}

TEST(Changes, GiveNewServersOfAStickyAppTheirCookieAndTakeOldOnesTheirs) {
  auto table = blog_with({{15, 20002}});
  table.apps[0].sticky = true;
  EXPECT_EQ(changes_to(table, {blog_server("14.web.1", 20001)}, {}),
            (Commands{"add server app.blog/15.web.1 127.0.0.1:20002", "enable dynamic-cookie backend app.blog",
                      "set server app.blog/15.web.1 state ready", "set server app.blog/14.web.1 state maint"}));
  EXPECT_TRUE(changes_to(table, {blog_server("15.web.1", 20002), blog_server("14.web.1", 20001, 1)}, {}).empty());
}

TEST(Changes, AreNoneWhenAllIsAsWanted) {
  EXPECT_TRUE(changes_to(blog_with({{15, 20002}}),
                         {blog_server("15.web.1", 20002),
                          blog_server("14.web.1", 20001, 8),
                          {"current-worker", "current", "-", 0, 2, 0}},
                         {})
                  .empty());
}

TEST(Changes, BringBackAServerThatWasLeaving) {
  EXPECT_EQ(changes_to(blog_with({{14, 20001}}), {blog_server("14.web.1", 20001, 8)}, {}),
            (Commands{"set server app.blog/14.web.1 state ready"}));
}

TEST(Changes, CorrectAPort) {
  EXPECT_EQ(changes_to(blog_with({{14, 20009}}), {blog_server("14.web.1", 20001)}, {}),
            (Commands{"set server app.blog/14.web.1 addr 127.0.0.1 port 20009"}));
}

TEST(Changes, FinishAServerThatWasAddedAndNotMadeReady) {
  EXPECT_EQ(changes_to(blog_with({{14, 20001}}), {blog_server("14.web.1", 20001, 1)}, {}),
            (Commands{"set server app.blog/14.web.1 state ready"}));
}

TEST(Changes, DrainTheServersOfAnAppThatIsGone) {
  EXPECT_EQ(changes_to({}, {blog_server("14.web.1", 20001)}, {}),
            (Commands{"set server app.blog/14.web.1 state drain"}));
}

RoutingTable blog_in(TrafficMode mode, std::vector<std::pair<ReleaseNumber, Port>> servers) {
  auto table = blog_with(std::move(servers));
  table.apps[0].mode = mode;
  return table;
}

TEST(Changes, HoldBeforeTheOldServerLeaves) {
  EXPECT_EQ(changes_to(blog_in(TrafficMode::Hold, {}), {blog_server("14.web.1", 20001)}, {}),
            (Commands{"add map modes.map app.blog hold", "set server app.blog/14.web.1 state drain"}));
}

TEST(Changes, LetRequestsGoOnceTheNewServerIsThere) {
  EXPECT_EQ(changes_to(blog_with({{15, 20002}}), {}, {{"app.blog", "hold"}, {"app.gone", "stopped"}}),
            (Commands{"add server app.blog/15.web.1 127.0.0.1:20002", "set server app.blog/15.web.1 state ready",
                      "del map modes.map app.blog", "del map modes.map app.gone"}));
}

TEST(Changes, TurnOneModeIntoAnother) {
  EXPECT_EQ(changes_to(blog_in(TrafficMode::Stopped, {}), {}, {{"app.blog", "hold"}}),
            (Commands{"set map modes.map app.blog stopped"}));
  EXPECT_TRUE(changes_to(blog_in(TrafficMode::Stopped, {}), {}, {{"app.blog", "stopped"}}).empty());
}

TEST(Changes, NameAnOwnPageByItsContent) {
  auto table = blog_in(TrafficMode::Maintenance, {});
  EXPECT_EQ(changes_to(table, {}, {}), (Commands{"add map modes.map app.blog maintenance"}));
  table.apps[0].page = "one";
  const auto one = changes_to(table, {}, {});
  table.apps[0].page = "two";
  EXPECT_NE(changes_to(table, {}, {}), one);
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
