// Who may let whom in.
#include "operate/keys.hh"

#include "fixtures.hh"

namespace pushrod {
namespace {

using testing::HasSubstr;
using testing::MatchesRegex;
using testing::StartsWith;

class Keys : public OperateTest {
 protected:
  static PublicKey public_key(char last) {
    return parse_public_key("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI" + std::string(42, 'A') + last);
  }
  const KeyName ann_ = KeyName::parse("ann");
};

TEST_F(Keys, ByDefaultAKeyMayDoEverythingOrDeploySomeApps) {
  const auto app = add_app("blog").name;
  EXPECT_TRUE(add_key(operator_, ann_, public_key('a'), {}).is_admin());
  EXPECT_THAT(last_record(), MatchesRegex("key add ann SHA256:.*: admin all apps: done"));
  const auto bob = add_key(operator_, KeyName::parse("bob"), public_key('b'), {.apps = {app}});
  EXPECT_EQ(bob.role, Role::Deploy);
  EXPECT_EQ(bob.apps, std::vector{app});
  EXPECT_EQ(list_keys(operator_).size(), 2U);
  EXPECT_THAT(read_file(layout_.root() / "ssh" / "authorized_keys").value_or(""), HasSubstr("AAb"));
}

TEST_F(Keys, WhatIsNotNamedStays) {
  const auto app = add_app("blog").name;
  add_key(operator_, ann_, public_key('a'), {.apps = {app}});
  EXPECT_EQ(set_key(operator_, ann_, {.role = Role::View}).apps, std::vector{app});
  const auto all = set_key(operator_, ann_, {.all_apps = true});
  EXPECT_TRUE(all.all_apps);
  EXPECT_EQ(all.role, Role::View);
}

TEST_F(Keys, AKeyWithoutAppsIsNotSetToAll) {
  const auto app = add_app("blog");
  add_key(operator_, ann_, public_key('a'), {.apps = {app.name}});
  store().remove_app(app.id);
  EXPECT_THAT(refusal([&] { set_key(operator_, ann_, {.role = Role::Admin}); }),
              StartsWith("the apps of key ann have all been destroyed"));
  EXPECT_FALSE(list_keys(operator_).front().is_admin());
}

TEST_F(Keys, NeedAnAdministrator) {
  const auto app = add_app("blog").name;
  for (auto* session : {&with_key("dora", Role::Deploy), &with_key("ed", Role::Admin, {app})}) {
    EXPECT_THAT(refusal([&] { add_key(*session, ann_, public_key('a'), {}); }), HasSubstr("administrators"));
    EXPECT_THAT(refusal([&] { set_key(*session, ann_, {}); }), HasSubstr("administrators"));
    EXPECT_THAT(refusal([&] { remove_key(*session, KeyName::parse("dora")); }), HasSubstr("administrators"));
    EXPECT_THAT(refusal([&] { list_keys(*session); }), HasSubstr("administrators"));
  }
  EXPECT_EQ(store().keys().size(), 2U);
}

TEST_F(Keys, ARemovedKeyIsNoLongerLetIn) {
  add_key(operator_, ann_, public_key('a'), {});
  remove_key(operator_, ann_);
  EXPECT_EQ(last_record(), "key remove ann: done");
  EXPECT_THAT(read_file(layout_.root() / "ssh" / "authorized_keys").value_or("-"), testing::Not(HasSubstr("AAa")));
  EXPECT_THAT(refusal([&] { remove_key(operator_, ann_); }), HasSubstr("ann"));
  EXPECT_THAT(last_record(), StartsWith("key remove ann: failed: "));
}

TEST_F(Keys, TheirViewNamesTheAppsOrAll) {
  const auto app = add_app("blog").name;
  const auto json = to_json(add_key(operator_, ann_, public_key('a'), {.role = Role::View, .apps = {app}}));
  EXPECT_EQ(json["role"], "view");
  EXPECT_EQ(json["apps"].dump(), R"(["blog"])");
  EXPECT_EQ(to_json(set_key(operator_, ann_, {.all_apps = true}))["apps"], "all");
}

}  // namespace
}  // namespace pushrod
