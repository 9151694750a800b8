// What the rendered files say, byte for byte, and that HAProxy accepts them.
#include "router/haproxy_config.hh"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "base/error.hh"
#include "base/text.hh"
#include "os/files.hh"
#include "router/client_claims.hh"
#include "router/files.hh"
#include "router/hold_script.hh"
#include "router/pages.hh"

namespace pushrod {
namespace {

InstanceName web(const std::string& app, ReleaseNumber release, std::uint32_t number) {
  return {AppName::parse(app), release, ProcessType::parse("web"), number};
}

Route route(const std::string& point) { return {RoutePoint::parse(point)}; }

RoutingTable example() {
  return {{{AppName::parse("blog"),
            {route("blog.example.org"), route("www.example.org")},
            {{web("blog", 14, 1), 20001}, {web("blog", 14, 2), 20002}}},
           {AppName::parse("idle"), {route("idle.example.org")}, {}}}};
}

Rendering rendered(const RoutingTable& table, const Settings& settings = {}) {
  return render(settings, table, assign_slots(table, {}));
}
// As a change of the example that runs.
Rendering changed(const RoutingTable& table, const Settings& settings = {}) {
  return render(settings, table, assign_slots(table, assign_slots(example(), {})));
}

std::string golden(const std::string& name) {
  return read_file(std::string(PUSHROD_GOLDEN_DIR) + "/" + name).value_or("no golden file " + name);
}

TEST(HaproxyConfig, IsTheGoldenFile) { EXPECT_EQ(rendered(example()).config, golden("haproxy.cfg")); }

TEST(HoldScript, IsTheGoldenFile) { EXPECT_EQ(render_hold_script(), golden("hold.lua")); }

TEST(HaproxyConfig, LeavesModesOutOfTheStructure) {
  auto table = example();
  table.apps[0].mode = TrafficMode::Maintenance;
  table.apps[0].page = "<h1>Back soon</h1>";
  table.apps[1].mode = TrafficMode::Asleep;
  EXPECT_EQ(changed(table).config, rendered(example()).config);
  EXPECT_EQ(render_map(changed(table).maps.modes),
            fmt::format("app.blog {}\napp.idle asleep\n", mode_of(table.apps[0])));
  EXPECT_TRUE(rendered(example()).maps.modes.empty());
}

TEST(HaproxyConfig, SetsACookieForStickyAppsOnly) {
  auto table = example();
  table.apps[0].sticky = true;
  const auto rendering = changed(table);
  EXPECT_NE(rendering.config.find(
                "backend sticky.1 from apps\n"
                "  http-request set-var(txn.open) be_conn(keep-sticky.1)\n"
                "  http-request return status 503 errorfiles full if { be_conn,add(txn.open) gt 1000 } !{ so_id 104 }\n"
                "  dynamic-cookie-key pushrod\n"
                "  cookie _pushrod_instance insert indirect nocache httponly dynamic attr SameSite=Lax\n"
                "  option http-server-close\n"
                "  server blog.14.web.1 127.0.0.1:20001\n"),
            std::string::npos)
      << rendering.config;
  EXPECT_EQ(rendering.config.find("cookie _"), rendering.config.find("cookie _", rendering.config.find("sticky.1")));
  EXPECT_EQ(rendering.maps.slots.at("app.blog"), "sticky.1");
  EXPECT_EQ(rendering.mark, rendered(example()).mark) << "a back end with a cookie stands by";
}

TEST(HaproxyConfig, HasASecondBackEndForAppsThatKeepConnections) {
  auto table = example();
  table.apps[0].keeps_connections = true;
  const auto rendering = changed(table);
  EXPECT_EQ(rendering.maps.slots.at("app.blog"), "keep-slot.1");
  EXPECT_EQ(rendering.maps.slots.at("app.idle"), "slot.2");
  EXPECT_NE(
      rendering.config.find(
          "  retries 12\n  balance roundrobin\n"
          "  server second-try unix@second-try.sock send-proxy-v2 proxy-v2-options unique-id weight 1 pool-max-conn 0\n"
          "  server blog.14.web.1 127.0.0.1:20001 weight 256 pool-max-conn 32 pool-purge-delay 1s\n"),
      std::string::npos);
  EXPECT_EQ(rendering.mark, rendered(example()).mark);
}

TEST(ClientClaims, AreTheOnesThatTheDocumentationLists) {
  const auto page = read_file(fs::path(PUSHROD_GOLDEN_DIR) / "../../../../docs/apps.md").value();
  const std::string begin = "Headers that the router removes from requests:\n\n";
  const auto at = page.find(begin);
  ASSERT_NE(at, page.npos);
  std::vector<std::string> listed;
  for (const auto& part :
       split(page.substr(at + begin.size(), page.find("\n\n", at + begin.size()) - at - begin.size()), '`')) {
    if (trim(part).find_first_not_of(",.") != part.npos && !trim(part).empty() && trim(part) != ",")
      listed.push_back(part);
  }
  EXPECT_EQ(listed, std::vector<std::string>(kClientClaims.begin(), kClientClaims.end()));
  EXPECT_NE(rendered(example()).config.find(client_claims_pattern()), std::string::npos);
}

TEST(HaproxyConfig, HasTheSameMarkWhenServersHostsOrAppsChange) {
  auto table = example();
  table.apps[0].servers.pop_back();
  table.apps[1].servers.push_back({web("idle", 2, 1), 20005});
  table.apps[1].routes.push_back(route("other.example.org"));
  table.apps.push_back({AppName::parse("new"), {}, {}});
  EXPECT_EQ(changed(table).mark, rendered(example()).mark);
  EXPECT_NE(changed(table).config, rendered(example()).config);
}

TEST(HaproxyConfig, HasAnotherMarkWhenASettingChanges) {
  Settings other;
  ++other.app_connections;
  EXPECT_NE(rendered(example(), other).mark, rendered(example()).mark);
}

TEST(HaproxyConfig, SharesConnectionsAsTheSettingsSay) {
  Settings settings;
  settings.connections = 800;
  settings.app_connections = 70;
  settings.address_connections = 60;
  settings.proxies = {"10.0.0.7", "2001:db8::/48"};
  const auto text = rendered(example(), settings).config;
  for (const std::string line :
       {"  maxconn 1300\n", "  bind \"$PUSHROD_HTTP\" maxconn 800\n",
        "acl many-clients src 127.0.0.1 ::1 10.0.0.7 2001:db8::/48\n", "reject if { sc0_conn_cur gt 66 }\n",
        "reject if { sc1_conn_cur gt 700 }\n", "reject if { fe_conn gt 600 } { sc0_conn_cur gt 6 }\n",
        "if { sc0_conn_cur gt 60 }\n", "errorfiles full if { sc2_conn_cur gt 400 }\n",
        "errorfiles full if { be_conn,add(txn.open) gt 70 } !{ so_id 104 }\n"}) {
    EXPECT_NE(text.find(line), text.npos) << line;
  }
  EXPECT_NE(rendered(example(), settings).mark, rendered(example()).mark) << "only a reload changes it";
}

TEST(Pages, AreWholeShortResponses) {
  for (const auto& page : render_pages()) {
    const auto end = page.response.find("\r\n\r\n");
    ASSERT_NE(end, std::string::npos);
    const auto body = page.response.substr(end + 4);
    EXPECT_NE(page.response.find(fmt::format("\r\nContent-Length: {}\r\n", body.size())), std::string::npos);
    EXPECT_NE(page.response.find("\r\nCache-Control: no-store\r\n"), std::string::npos);
    EXPECT_TRUE(body.starts_with(std::to_string(page.status)));
    EXPECT_LT(body.size(), 250u);
  }
}

class InstalledFiles : public testing::Test {
 protected:
  InstalledFiles() {
    std::string pattern = "/tmp/pushrod router'(x),XXXXXX";  // no path may need quoting
    directory_ = mkdtemp(pattern.data());
  }
  ~InstalledFiles() override { remove_tree(directory_); }
  std::string config() { return read_file(directory_ / "haproxy.cfg").value_or(""); }
  fs::path directory_;
};

TEST_F(InstalledFiles, AreAcceptedByHaproxy) {
  install_files(directory_, rendered(example()));  // throws if `haproxy -c` refuses
  EXPECT_EQ(config(), rendered(example()).config);
  install_files(directory_, rendered({}));
  EXPECT_EQ(config(), rendered({}).config);
  EXPECT_EQ(list_directory(directory_),
            (std::vector<std::string>{"certificates", "certificates.list", "errors.map", "haproxy.cfg", "hold.lua",
                                      "hosts.map", "http.map", "modes.map", "pages", "slots.map", "tickets.keys"}))
      << "a candidate is left behind";
}

TEST_F(InstalledFiles, StayWhenHaproxyRefusesTheNewOnes) {
  install_files(directory_, rendered(example()));
  const auto before = config();
  const auto files = list_directory(directory_);
  Settings wrong;
  wrong.domain = "(";  // a part of a regular expression
  try {
    install_files(directory_, rendered(example(), wrong));
    FAIL() << "accepted";
  } catch (const Error& error) {
    ASSERT_FALSE(error.evidence().empty());
    EXPECT_NE(error.evidence().front().find("regex"), std::string::npos) << error.evidence().front();
  }
  EXPECT_EQ(config(), before);
  EXPECT_EQ(list_directory(directory_), files);
}

}  // namespace
}  // namespace pushrod
