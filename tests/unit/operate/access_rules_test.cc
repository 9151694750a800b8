// access: who may set it, what is kept, and what is recorded.
#include "operate/access.hh"

#include "fixtures.hh"

namespace pushrod {
namespace {

using testing::HasSubstr;

class AccessOperations : public OperateTest {};

TEST_F(AccessOperations, KeepNetworksUsersAndRate) {
  add_app("blog");
  EXPECT_EQ(to_json(access_of(operator_, blog_)).dump(),
            R"({"app":"blog","networks":[],"users":[],"rate":null,"login":false})");
  set_access_networks(operator_, blog_, {"10.0.0.0/8", "2001:db8::7"});
  EXPECT_EQ(last_record(), "access networks 10.0.0.0/8 2001:db8::7: done");
  set_access_rate(operator_, blog_, 10);
  const auto first = set_access_user(operator_, blog_, "eve");
  const auto password = set_access_user(operator_, blog_, "ada");
  EXPECT_EQ(password.reveal().size(), 24u);
  EXPECT_NE(password.reveal(), first.reveal());
  EXPECT_EQ(last_record(), "access user ada: done");
  EXPECT_EQ(to_json(access_of(operator_, blog_)).dump(),
            R"({"app":"blog","networks":["10.0.0.0/8","2001:db8::7"],"users":["ada","eve"],"rate":10,"login":false})");
  const auto before = operator_.store().access_rules().begin()->second.users;
  set_access_user(operator_, blog_, "ada");
  const auto after = operator_.store().access_rules().begin()->second.users;
  EXPECT_NE(after[0].hash, before[0].hash);
  EXPECT_EQ(after[1], before[1]);
  remove_access_user(operator_, blog_, "eve");
  remove_access_user(operator_, blog_, "ada");
  set_access_networks(operator_, blog_, {});
  set_access_rate(operator_, blog_, {});
  EXPECT_TRUE(operator_.store().access_rules().empty());
}

TEST_F(AccessOperations, RefuseWhatIsWrong) {
  add_app("blog");
  EXPECT_THAT(refusal([&] { set_access_networks(operator_, blog_, {"10.0.0.0/33"}); }), HasSubstr("not an address"));
  EXPECT_THAT(refusal([&] { set_access_rate(operator_, blog_, 0); }), HasSubstr("Invalid rate"));
  EXPECT_THAT(refusal([&] { set_access_user(operator_, blog_, "a:b"); }), HasSubstr("Invalid user name"));
  EXPECT_THAT(refusal([&] { remove_access_user(operator_, blog_, "eve"); }), HasSubstr("has no user"));
  EXPECT_TRUE(operator_.store().access_rules().empty());
}

TEST_F(AccessOperations, AreForKeysThatMayDeploy) {
  live_app("blog");
  auto& viewer = with_key("vera", Role::View);
  EXPECT_TRUE(access_of(viewer, blog_).networks.empty());
  EXPECT_THAT(refusal([&] { set_access_networks(viewer, blog_, {}); }), HasSubstr("vera"));
  EXPECT_THAT(refusal([&] { set_access_user(viewer, blog_, "ada"); }), HasSubstr("vera"));
}

TEST_F(AccessOperations, MakeLinksForAppsWithLogin) {
  live_app("blog");
  EXPECT_THAT(refusal([&] { login_link(operator_, blog_); }), HasSubstr("has no login"));
  EXPECT_TRUE(set_access_login(operator_, blog_, true).login);
  const auto secret = operator_.store().access_rules().begin()->second.login_secret;
  EXPECT_EQ(secret.size(), 64u);
  auto& viewer = with_key("vera", Role::View);
  const auto link = login_link(viewer, blog_);
  EXPECT_THAT(link, testing::MatchesRegex(
                        "http://blog.example.org[:0-9]*/.pushrod/login[?][0-9]+[.][0-9a-f]+[.][1-9][.][0-9a-f]+"));
  EXPECT_NE(login_link(viewer, blog_), link);
  EXPECT_EQ(last_record(), "login a link: done");
  EXPECT_THAT(refusal([&] { set_access_login(viewer, blog_, false); }), HasSubstr("vera"));
  set_access_login(operator_, blog_, true);
  EXPECT_NE(operator_.store().access_rules().begin()->second.login_secret, secret);
  EXPECT_FALSE(set_access_login(operator_, blog_, false).login);
}

}  // namespace
}  // namespace pushrod
