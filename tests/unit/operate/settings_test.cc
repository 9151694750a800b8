// Settings: rights, changes now and later, limits, and the view as JSON.
#include "operate/settings.hh"

#include "fixtures.hh"

namespace pushrod {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

NewSetting setting(const std::string& name, const std::string& value, bool is_secret = false) {
  return {SettingName::parse(name), Secret(value), is_secret};
}

class SettingsOfApps : public OperateTest {
 protected:
  SettingsOfApps() { add_app("blog"); }
  void deploy_first() { ASSERT_TRUE(run(push_of(version(1))).outcome.live); }
  SettingsChange set(const std::vector<NewSetting>& settings, When when = When::Now) {
    return set_settings(operator_, blog_, settings, when);
  }
  SettingsChange unset(const std::string& name, When when = When::Now) {
    return unset_settings(operator_, blog_, {SettingName::parse(name)}, when);
  }
  std::string value(const std::string& name) {
    return setting_value(operator_, blog_, SettingName::parse(name)).reveal();
  }
  std::string json() { return to_json(list_settings(operator_, blog_)).dump(); }
};

TEST_F(SettingsOfApps, AViewKeyNeitherReadsNorChangesThem) {
  auto& viewer = with_key("vera", Role::View);
  const auto name = SettingName::parse("A");
  const char* refused = "does not allow that";
  EXPECT_THAT(refusal([&] { list_settings(viewer, blog_); }), HasSubstr(refused));
  EXPECT_THAT(refusal([&] { setting_values(viewer, blog_); }), HasSubstr(refused));
  EXPECT_THAT(refusal([&] { setting_value(viewer, blog_, name); }), HasSubstr(refused));
  EXPECT_THAT(refusal([&] { set_settings(viewer, blog_, {setting("A", "1")}, When::Now); }), HasSubstr(refused));
  EXPECT_THAT(refusal([&] { unset_settings(viewer, blog_, {name}, When::Now); }), HasSubstr(refused));
}

TEST_F(SettingsOfApps, AKeyForAnotherAppFindsNoApp) {
  add_app("shop");
  const auto shop = AppName::parse("shop");
  auto& deployer = with_key("dora", Role::Deploy, {blog_});
  EXPECT_THAT(refusal([&] { list_settings(deployer, shop); }), HasSubstr("there is no app"));
  EXPECT_THAT(refusal([&] { set_settings(deployer, shop, {setting("A", "1")}, When::Now); }),
              HasSubstr("there is no app"));
  EXPECT_TRUE(set_settings(deployer, blog_, {setting("A", "1")}, When::Now).is_saved);
  EXPECT_EQ(last_record(), "config set A (for the next release): done");
}

TEST_F(SettingsOfApps, OneForBuildsAloneWaitsForTheNextBuild) {
  deploy_first();
  auto token = setting("BUILD_TOKEN", "1");
  token.scope = SettingScope::Build;
  const auto result = set({token});
  EXPECT_TRUE(result.is_saved && result.is_for_build);
  EXPECT_FALSE(result.change);
  EXPECT_THAT(json(), HasSubstr(R"("pending":true,"scope":"build")"));
  EXPECT_TRUE(unset("BUILD_TOKEN").is_for_build);
}

TEST_F(SettingsOfApps, ASettingKeepsItsScopeUntilAnotherIsGiven) {
  auto first = setting("A", "1");
  first.scope = SettingScope::Run;
  set({first});
  set({setting("A", "2")});
  EXPECT_THAT(json(), HasSubstr(R"("scope":"run")"));
  first.scope = SettingScope::Both;
  set({first});
  EXPECT_THAT(json(), HasSubstr(R"("scope":"both")"));
}

TEST_F(SettingsOfApps, TakingOneFromProcessesIsADeployment) {
  set({setting("A", "1")});
  deploy_first();
  auto narrowed = setting("A", "1");
  narrowed.scope = SettingScope::Run;
  EXPECT_TRUE(set({narrowed}).is_for_build) << "processes keep it";
  narrowed.scope = SettingScope::Build;
  EXPECT_TRUE(set({narrowed}).change) << "processes lose it";
}

TEST_F(SettingsOfApps, BeforeTheFirstReleaseTheyAreSaved) {
  const auto result = set({setting("A", "1"), setting("B", "2")});
  EXPECT_TRUE(result.is_saved);
  EXPECT_FALSE(result.change);
  EXPECT_EQ(result.what, "set A, B");
  EXPECT_EQ(value("A"), "1");
  EXPECT_EQ(setting_values(operator_, blog_).size(), 2U);
}

TEST_F(SettingsOfApps, OfADeployedAppAChangeIsADeployment) {
  deploy_first();
  const auto result = set({setting("A", "1")});
  ASSERT_TRUE(result.change);
  EXPECT_FALSE(result.is_saved);
  EXPECT_EQ(result.change->kind, DeploymentKind::Config);
  EXPECT_EQ(result.change->detail, "set A");
  EXPECT_THAT(refusal([&] { value("A"); }), HasSubstr("app blog has no setting A")) << "until it is deployed";
  ASSERT_TRUE(run(*result.change).outcome.live);
  EXPECT_EQ(value("A"), "1");
  EXPECT_EQ(json(), R"([{"name":"A","value":"1","secret":false,"pending":false,"scope":"both"}])");
}

TEST_F(SettingsOfApps, TheSameValueChangesNothing) {
  set({setting("A", "1")});
  deploy_first();
  const auto result = set({setting("A", "1")});
  EXPECT_FALSE(result.is_saved || result.change);
  EXPECT_THAT(result.names, ElementsAre("A"));
  EXPECT_TRUE(set({setting("A", "1", true)}).change) << "it becomes secret";
}

TEST_F(SettingsOfApps, AValueSavedForLaterIsDeployedWhenItIsSetAgain) {
  deploy_first();
  EXPECT_TRUE(set({setting("A", "1")}, When::NextRelease).is_saved);
  const auto later = set({setting("A", "1")}, When::NextRelease);
  EXPECT_FALSE(later.is_saved || later.change);
  EXPECT_TRUE(set({setting("A", "1")}).change);
}

TEST_F(SettingsOfApps, TheListShowsWhatTheNextReleaseChanges) {
  set({setting("A", "1"), setting("B", "2")});
  deploy_first();
  set({setting("C", "3")}, When::NextRelease);
  unset("A", When::NextRelease);
  EXPECT_THAT(list_settings(operator_, blog_).pending_removal, ElementsAre("A"));
  EXPECT_EQ(json(), R"([{"name":"B","value":"2","secret":false,"pending":false,"scope":"both"},)"
                    R"({"name":"C","value":"3","secret":false,"pending":true,"scope":"both"}])");
}

TEST_F(SettingsOfApps, SecretsStaySecretAndAreMasked) {
  set({setting("API_TOKEN", "x"), setting("PLAIN", "y", true)});
  set({setting("PLAIN", "z")});
  EXPECT_EQ(json(), R"([{"name":"API_TOKEN","value":null,"secret":true,"pending":false,"scope":"both"},)"
                    R"({"name":"PLAIN","value":null,"secret":true,"pending":false,"scope":"both"}])");
  EXPECT_EQ(value("PLAIN"), "z") << "a request for this one value shows it";
}

TEST_F(SettingsOfApps, ARequestIsAcceptedOrRefusedAsAWhole) {
  EXPECT_THAT(refusal([&] { set({setting("A", "1"), setting("A", "2")}); }), HasSubstr("A is given twice"));
  EXPECT_THAT(refusal([&] { set({setting("A", "1"), setting("PORT", "2")}); }), HasSubstr("PORT"));
  EXPECT_THAT(refusal([&] { set({setting("A", "1"), setting("B", std::string("x\0y", 3))}); }), HasSubstr("NUL byte"));
  EXPECT_EQ(json(), "[]");
  EXPECT_THAT(refusal([&] { unset("A"); }), HasSubstr("app blog has no setting A"));
}

TEST_F(SettingsOfApps, LengthsHaveLimits) {
  constexpr std::size_t kLongest = (128 << 10) - 3;  // of name and value together
  EXPECT_THAT(refusal([&] { set({setting("A", std::string(kLongest, 'x'))}); }), HasSubstr("value of A is too long"));
  for (const auto* name : {"A", "B", "C", "D", "E"}) {
    EXPECT_TRUE(set({setting(name, std::string(kLongest - 1, 'x'))}).is_saved) << name;
  }
  EXPECT_THAT(refusal([&] { set({setting("F", std::string(kLongest - 1, 'x'))}); }),
              HasSubstr("the settings together would be too long"));
}

}  // namespace
}  // namespace pushrod
