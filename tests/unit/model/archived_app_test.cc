// The description in an archive of an app.
#include "model/archived_app.hh"

#include <gtest/gtest.h>

#include "base/error.hh"

namespace pushrod {
namespace {

ArchivedApp some_app() {
  ArchivedApp app{.name = AppName::parse("shop"),
                  .source = {RepoName::parse("code"), BranchName::parse("main"), "apps/shop", "web.toml", "apps"}};
  app.commit = CommitId::parse(std::string(40, 'a'));
  app.deployed = app.stopped = true;
  app.maintenance = Maintenance::Page;
  app.maintenance_page = "<p>b\u00fccher</p>";
  app.access = {{"10.0.0.0/8"}, {{"ada", "salt", "hash"}}, 10};
  app.settings = {{SettingName::parse("A"), {}},
                  {SettingName::parse("TOKEN"), {.secret = true, .scope = SettingScope::Build}}};
  app.counts = {{ProcessType::parse("web"), 3}};
  app.crons = {{"clean", "@daily UTC", from_epoch_milliseconds(1234)}};
  Route route{RoutePoint::parse("www.example.com/shop")};
  route.strip_prefix = true;
  route.redirect_to = HostName::parse("example.com");
  route.hsts = std::chrono::seconds(60);
  app.domains = {route, {RoutePoint::parse("example.com")}};
  app.certificates = {HostName::parse("example.com")};
  app.services = {{"db", "db", "postgres", "15", 256U << 20, "DATABASE", true, true, 1U << 30, 150},
                  {"cache", "", "redis", "redis-7", 64U << 20, "QUEUE", false}};
  app.made = from_epoch_milliseconds(1'700'000'000'000);
  return app;
}

std::string refusal_of(const std::string& json) {
  try {
    archived_app_from_json(json);
  } catch (const UserError& error) {
    return error.message();
  }
  return {};
}

std::string replaced(const std::string& from, const std::string& to) {
  auto text = to_json(some_app());
  text.replace(text.find(from), from.size(), to);
  return text;
}

TEST(ArchivedApp, ComesBackAsItWas) {
  const auto app = some_app();
  const auto back = archived_app_from_json(to_json(app));
  EXPECT_EQ(back.name, app.name);
  EXPECT_EQ(back.source, app.source);
  EXPECT_EQ(back.commit, app.commit);
  EXPECT_TRUE(back.deployed && back.stopped);
  EXPECT_EQ(back.maintenance, app.maintenance);
  EXPECT_EQ(back.maintenance_page, app.maintenance_page);
  EXPECT_EQ(back.access, app.access);
  EXPECT_EQ(back.settings, app.settings);
  EXPECT_EQ(back.counts, app.counts);
  EXPECT_EQ(back.domains, app.domains);
  EXPECT_EQ(back.certificates, app.certificates);
  ASSERT_EQ(back.crons.size(), 1U);
  EXPECT_EQ(back.crons.front().seen, app.crons.front().seen);
  EXPECT_EQ(back.made, app.made);
  ASSERT_EQ(back.services.size(), 2U);
  EXPECT_EQ(to_json(back), to_json(app));
  EXPECT_EQ(dump_member(back.services.front()), "services/db.dump");
  EXPECT_TRUE(back.services.front().tcp);
  EXPECT_FALSE(back.services.back().tcp);
  EXPECT_EQ(back.services.front().disk, 1U << 30);
  EXPECT_EQ(back.services.front().cpu_percent, 150U);
  EXPECT_EQ(back.services.back().disk, 0U);
  EXPECT_EQ(back.services.back().cpu_percent, 0U);
}

TEST(ArchivedApp, WithoutServicesIsWhatOlderProgramsRead) {
  auto app = some_app();
  app.services.clear();
  EXPECT_NE(to_json(app).find("\"version\": 1,"), std::string::npos);
  EXPECT_TRUE(archived_app_from_json(to_json(app)).services.empty());
}

TEST(ArchivedApp, IsOfTheNewestVersionOnlyWhereAServiceHasLimits) {
  auto app = some_app();
  EXPECT_NE(to_json(app).find("\"version\": 3,"), std::string::npos);
  app.services.front().disk = 0;
  EXPECT_NE(to_json(app).find("\"version\": 3,"), std::string::npos);
  app.services.front().cpu_percent = 0;
  const auto older = to_json(app);
  EXPECT_NE(older.find("\"version\": 2,"), std::string::npos);
  EXPECT_EQ(older.find("\"disk\""), std::string::npos);
  EXPECT_EQ(archived_app_from_json(older).services.front().memory, 256U << 20);
}

TEST(ArchivedApp, RefusesWhatIsNoneOrIsDamaged) {
  EXPECT_EQ(refusal_of("{}"), "this is not an archive of an app");
  EXPECT_EQ(refusal_of("hello"), "this is not an archive of an app");
  EXPECT_EQ(refusal_of(replaced("\"version\": 3", "\"version\": 9")),
            "the archive has version 9 of the format; this Pushrod reads up to 3");
  for (const auto& damaged :
       {replaced("\"shop\"", "\"../shop\""), replaced("\"apps/shop\"", "\"../shop\""),
        replaced("\"stopped\": true", "\"stopped\": 1"), replaced("\"A\"", "\"A/B\""),
        replaced("\"example.com\"", "\"a/b\""), replaced("\"counts\"", "\"numbers\""),
        replaced("\"disk\": 1073741824", "\"disk\": -1"),
        replaced("\"cpu_percent\": 150", "\"cpu_percent\": 4294967297"), replaced("\"cache\"", "\"../cache\""),
        replaced("\"label\": \"cache\"", "\"label\": \"db\"")}) {
    EXPECT_TRUE(refusal_of(damaged).starts_with("the archive is damaged: pushrod-app.json: ")) << damaged;
  }
}

}  // namespace
}  // namespace pushrod
