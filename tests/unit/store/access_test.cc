// Access rules and HTTP rules in the database.
#include <gtest/gtest.h>

#include "fixture.hh"
#include "store/passwords.hh"

namespace pushrod {
namespace {

class AccessTest : public StoreTest {};

TEST_F(AccessTest, IsSealedAndGoesWithTheApp) {
  const auto blog = add_app("blog");
  add_app("shop");
  EXPECT_TRUE(store().access_rules().empty());
  const AccessRules rules{{"192.0.2.0/24"}, {{"ada", "salt", "hash"}}, 10};
  store().set_access_rules(blog.id, rules);
  EXPECT_EQ(store().access_rules(), (std::map<AppId, AccessRules>{{blog.id, rules}}));
  EXPECT_EQ(read_file(file())->find("192.0.2.0"), std::string::npos);
  store().set_access_rules(blog.id, {});
  EXPECT_TRUE(store().access_rules().empty());
  store().set_access_rules(blog.id, rules);
  store().remove_app(blog.id);
  EXPECT_TRUE(store().access_rules().empty());
}

TEST_F(AccessTest, LetsInNobodyWithoutTheKeyThatOpensIt) {
  const auto blog = add_app("blog");
  store().set_access_rules(blog.id, AccessRules{.networks = {"192.0.2.0/24"}});
  close();
  write_file(directory_ / "settings.key", std::string(32, 'x'), 0600, false);
  EXPECT_EQ(store().access_rules().at(blog.id).networks, std::vector<std::string>{"255.255.255.255"});
}

TEST_F(AccessTest, PasswordsAreRandomAndSalted) {
  const auto one = make_password("ada"), other = make_password("ada");
  EXPECT_EQ(one.password.reveal().size(), 24u);
  EXPECT_NE(one.password.reveal(), other.password.reveal());
  EXPECT_NE(one.user.salt, other.user.salt);
  EXPECT_EQ(one.user.hash.size(), 64u);
}

TEST_F(AccessTest, HttpRulesAreThoseOfTheLiveRelease) {
  const App blog = add_app("blog");
  const auto deployments = begin({blog});
  Release release = release_of(deployments[0]);
  release.processes.at(0).http.max_body = 10;
  release.processes.at(0).h2 = true;
  store().add_release(release);
  store().add_instances(release, {}, 20000, 29999, always_free);
  EXPECT_TRUE(store().http_rules().empty()) << "not live yet";
  EXPECT_EQ(store().h2_releases(), (std::set<std::pair<AppId, ReleaseNumber>>{{blog.id, release.number}}));
  EXPECT_EQ(store().release(blog.id, release.number)->processes.at(0).http.max_body, 10u);
}

}  // namespace
}  // namespace pushrod
