// What a layer is called, what it sees, and how it is made.
#include "build/layer.hh"

#include <gmock/gmock.h>

#include "build/changes.hh"
#include "os/files.hh"
#include "test_tree.hh"

namespace pushrod {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

LayerPlan plan() {
  return {.kind = "node",
          .description = "npm ci",
          .files = {{"package.json", "{}"}, {".npmrc", "//h.example/:_authToken=${REGISTRY_TOKEN}"}},
          .steps = {{"npm ci", "/app"}},
          .mounts = {{.directory = "app/node_modules", .path = "/app/node_modules"}},
          .tools = "node 18"};
}

TEST(LayerNames, AreTheSameForTheSame) {
  const Environment environment{{"PATH", "/usr/bin"}};
  const auto name = layer_name(plan(), environment);
  EXPECT_EQ(name, layer_name(plan(), environment));
  EXPECT_THAT(name, testing::MatchesRegex("node-[0-9a-f]{32}"));
}

TEST(LayerNames, DifferWithAllThatTheResultDependsOn) {
  std::set<std::string> names{layer_name(plan(), {})};
  const auto differs = [&](const auto& change) {
    auto other = plan();
    change(other);
    return names.insert(layer_name(other, {})).second;
  };
  EXPECT_TRUE(differs([](LayerPlan& other) { other.kind = "python"; }));
  EXPECT_TRUE(differs([](LayerPlan& other) { other.tools = "node 20"; }));
  EXPECT_TRUE(differs([](LayerPlan& other) { other.files["package.json"] = "{ }"; }));
  EXPECT_TRUE(differs([](LayerPlan& other) { other.files["a"] = ""; }));
  EXPECT_TRUE(differs([](LayerPlan& other) { other.steps[0].command = "npm install"; }));
  EXPECT_TRUE(differs([](LayerPlan& other) { other.steps[0].directory = "/app/web"; }));
  EXPECT_TRUE(differs([](LayerPlan& other) { other.mounts[0].path = "/app/web/node_modules"; }));
  EXPECT_TRUE(names.insert(layer_name(plan(), {{"A", "1"}})).second);
  EXPECT_TRUE(names.insert(layer_name(plan(), {{"A", "2"}})).second);
  EXPECT_FALSE(differs([](LayerPlan& other) { other.description = "for people"; }));
}

TEST(LayerNames, KeepTextsApart) {
  auto one = plan();
  auto two = plan();
  one.files = {{"a", "b1:c"}};
  two.files = {{"ab", "1:c"}};
  EXPECT_NE(layer_name(one, {}), layer_name(two, {}));
  EXPECT_NE(layer_name(plan(), {{"A", "B=C"}}), layer_name(plan(), {{"A=B", "C"}}));
}

TEST(LayerSettings, AreThoseThatPackageManagersReadOrFilesName) {
  const Environment settings{{"REGISTRY_TOKEN", "1"},  {"DATABASE_URL", "2"}, {"NPM_CONFIG_REGISTRY", "3"},
                             {"npm_config_omit", "4"}, {"SECRET_KEY", "5"},   {"PIP_INDEX_URL", "6"},
                             {"HTTPS_PROXY", "7"}};
  std::vector<std::string> names;
  for (const auto& [name, value] : layer_settings(plan(), settings)) names.push_back(name);
  EXPECT_THAT(names,
              ElementsAre("HTTPS_PROXY", "NPM_CONFIG_REGISTRY", "PIP_INDEX_URL", "REGISTRY_TOKEN", "npm_config_omit"));
  auto in_a_step = plan();
  in_a_step.steps[0].command = "printf '%s' \"--index-url https://$DATABASE_URL\"";
  EXPECT_TRUE(layer_settings(in_a_step, settings).contains("DATABASE_URL"));
}

TEST(LayerSettings, AreRecognisedByTheirWholeName) {
  const auto sees = [](const std::string& text) {
    auto other = plan();
    other.files = {{"file", text}};
    return layer_settings(other, {{"TOKEN", "1"}}).contains("TOKEN");
  };
  for (const char* text : {"${TOKEN}", "${TOKEN:-none}", "${TOKEN?}", "x $TOKEN", "$TOKENS $TOKEN/", "ENV['TOKEN']",
                           "ENV[\"TOKEN\"]", "ENV.fetch('TOKEN')", "ENV.fetch(\"TOKEN\", nil)"}) {
    EXPECT_TRUE(sees(text)) << text;
  }
  for (const char* text : {"$TOKENS", "${TOKEN_2}", "TOKEN", "ENV['TOKENS']", "$MY_TOKEN"}) {
    EXPECT_FALSE(sees(text)) << text;
  }
}

TEST(LayerSettings, ThatNameFilesOfTheAppLeaveNoLayer) {
  for (const auto& [name, value] : Environment{{"PIP_FIND_LINKS", "wheels"},
                                               {"A", "/app/wheels"},
                                               {"B", "file:///app"},
                                               {"C", "./ca.pem"},
                                               {"PIP_CONSTRAINT", "c.txt"}}) {
    EXPECT_TRUE(names_files_of_app({{name, value}})) << name;
  }
  EXPECT_FALSE(names_files_of_app({{"NODE_ENV", "production"},
                                   {"NODE_EXTRA_CA_CERTS", "/etc/ssl/ca.pem"},
                                   {"PIP_FIND_LINKS", "https://h.example/wheels"},
                                   {"NPM_TOKEN", "x/application"}}));
}

TEST(LayerTools, ChangeWithTheProgramThatAnUpgradeReplaces) {
  TestTree programs;
  programs.write("node", "18", true);
  const auto before = describe_tools({programs.path()}, {"node", "npm"});
  EXPECT_EQ(before, describe_tools({programs.path()}, {"node", "npm"}));
  programs.write("node", "20.1", true);
  EXPECT_NE(before, describe_tools({programs.path()}, {"node", "npm"}));
}

TEST(ChangesOfABuild, AreWhatIsNotACache) {
  TestTree upper;
  const auto holds = [&] { return holds_changes(upper.path()); };
  EXPECT_FALSE(holds());
  fs::create_directories(upper.path() / "left/lib");
  upper.write(".cache/a", "");
  upper.write("left/__pycache__/a.pyc", "");
  EXPECT_FALSE(holds()) << "directories alone come of writing to caches in them";
  upper.write("left/lib/index.js", "");
  EXPECT_TRUE(holds());
  fs::remove(upper.path() / "left/lib/index.js");
  upper.link("left/lib/link", "nowhere");
  EXPECT_TRUE(holds());
}

TEST(ChangesOfABuild, AreFoundInDirectoriesThatLeadNowhere) {
  TestTree upper;
  fs::path deep = upper.path();
  for (int depth = 0; depth < 100; ++depth) deep /= "d";
  fs::create_directories(deep);
  EXPECT_TRUE(holds_changes(upper.path()));
}

}  // namespace
}  // namespace pushrod
