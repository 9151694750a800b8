// Paths of apps, rights of keys, and where things lie.
#include "model/app.hh"

#include <gtest/gtest.h>

#include "base/error.hh"
#include "base/text.hh"
#include "model/layout.hh"

namespace pushrod {
namespace {

using std::string_literals::operator""s;

TEST(AppPaths, AreRelativeAndPlain) {
  for (const std::string text : {"", "api", "services/api", "a b/c.d", "...", ".config", "-x", "caf\xc3\xa9"}) {
    EXPECT_EQ(parse_app_path(text), text);
  }
  EXPECT_EQ(parse_app_path(std::string(200, 'a')).size(), 200u);
}

TEST(AppPaths, AreRefusedAndNotRepaired) {
  for (const std::string& text : {"/"s, "/api"s, "api/"s, "a//b"s, "."s, ".."s, "./a"s, "a/."s, "a/../b"s, "../a"s,
                                  "a/.."s, "a\nb"s, "a\0b"s, "\x7f"s, "a\xff"s, std::string(201, 'a')}) {
    try {
      parse_app_path(text);
      ADD_FAILURE() << quoted(text);
    } catch (const UserError& error) {
      EXPECT_EQ(error.message().find("path " + quoted(text)), 0u) << error.message();
    }
  }
}

Key key(bool admin, std::vector<AppName> apps) {
  return {.id = 1,
          .name = KeyName::parse("ann"),
          .public_key = "ssh-ed25519 AAAA",
          .fingerprint = "SHA256:x",
          .role = admin ? Role::Admin : Role::Deploy,
          .all_apps = admin,
          .apps = std::move(apps),
          .created = {}};
}

TEST(Keys, MayUseTheirAppsOnly) {
  const AppName blog = AppName::parse("blog");
  const AppName shop = AppName::parse("shop");
  EXPECT_TRUE(key(true, {}).may_use(blog));
  EXPECT_TRUE(key(false, {blog}).may_use(blog));
  EXPECT_FALSE(key(false, {blog}).may_use(shop));
  // Its last app was destroyed.
  EXPECT_FALSE(key(false, {}).may_use(blog));
  EXPECT_FALSE(key(false, {}).is_admin());
}

TEST(Layout, PutsEverythingUnderTheRoot) {
  const Layout layout("/srv/pushrod");
  const AppName app = AppName::parse("blog");
  EXPECT_EQ(layout.database(), "/srv/pushrod/pushrod.db");
  EXPECT_EQ(layout.repo(RepoName::parse("site")), "/srv/pushrod/repos/site.git");
  EXPECT_EQ(layout.checkout(app, 14).tree(), "/srv/pushrod/checkouts/blog/14/tree");
  EXPECT_EQ(layout.kept_checkout(app, 14).tree(), "/srv/pushrod/releases/blog/14/tree");
  EXPECT_EQ(layout.deployment_log(app, 14), "/srv/pushrod/logs/blog/deployments/14.log");
  EXPECT_EQ(layout.instance_log({app, 14, ProcessType::parse("web"), 2}), "/srv/pushrod/logs/blog/instances/14.web.2");
  EXPECT_EQ(layout.app_lock(app), "/srv/pushrod/run/locks/app.blog");
}

// An app called "pushrod" is allowed, and destroying it must not remove our own services' logs.
TEST(Layout, KeepsPushrodsLogsApartFromThoseOfApps) {
  const Layout layout("/srv/pushrod");
  const std::string own = layout.service_log("router").parent_path().filename();
  EXPECT_THROW(AppName::parse(own), UserError);
}

}  // namespace
}  // namespace pushrod
