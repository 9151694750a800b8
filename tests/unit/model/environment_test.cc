// The environments of an app's programs, and the names that are not an app's to set.
#include "model/environment.hh"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.hh"

namespace pushrod {
namespace {

using testing::HasSubstr;
using For = EnvironmentLayers::For;

TEST(Environments, TheBaseIsExactlyThis) {
  const Environment process{{"HOME", "/tmp/home"},
                            {"LANG", "C.UTF-8"},
                            {"PATH", "/usr/local/bin:/usr/bin:/bin"},
                            {"XDG_CACHE_HOME", "/tmp/home/.cache"},
                            {"XDG_CONFIG_HOME", "/tmp/home/.config"},
                            {"XDG_DATA_HOME", "/tmp/home/.local/share"},
                            {"XDG_RUNTIME_DIR", "/tmp/runtime"},
                            {"XDG_STATE_HOME", "/tmp/home/.local/state"}};
  EXPECT_EQ(compose({.use = For::Process}), process);
  EXPECT_EQ(compose({.use = For::Release}), process);
}

TEST(Environments, ABuildKeepsItsCaches) {
  const auto build = compose({.use = For::Build, .caches = {{"PIP_CACHE_DIR", "/cache/pip"}}});
  EXPECT_EQ(build.at("XDG_CACHE_HOME"), "/cache");
  EXPECT_EQ(build.at("PIP_CACHE_DIR"), "/cache/pip");
  EXPECT_FALSE(compose({.use = For::Process, .caches = {{"PIP_CACHE_DIR", "/cache/pip"}}}).contains("PIP_CACHE_DIR"));
  EXPECT_EQ(build.at("HOME"), "/tmp/home");
}

TEST(Environments, EachLayerWinsOverThoseBefore) {
  const EnvironmentLayers layers{.use = For::Build,
                                 .caches = {{"LANG", "1"}, {"A", "1"}},
                                 .administrator = {{"LANG", "2"}, {"A", "2"}, {"B", "2"}, {"C", "2"}},
                                 .builder = {{"A", "3"}, {"B", "3"}, {"C", "3"}},
                                 .settings = {{"B", "4"}, {"C", "4"}},
                                 .own = {{"C", "5"}}};
  auto environment = compose(layers);
  EXPECT_EQ(environment.at("LANG"), "2");
  EXPECT_EQ(environment.at("A"), "3");
  EXPECT_EQ(environment.at("B"), "4");
  EXPECT_EQ(environment.at("C"), "5");
  auto process = layers;
  process.use = For::Process;
  EXPECT_EQ(compose(process).at("LANG"), "C.UTF-8") << "the administrator's variables are for builds";
}

TEST(Environments, SettingsWinOverEveryDefault) {
  const Environment defaults{{"NODE_ENV", "production"}, {"PYTHONUNBUFFERED", "1"}, {"npm_config_include", "dev"}};
  for (const char* name : {"NODE_ENV", "PYTHONUNBUFFERED", "npm_config_include", "LANG", "HOME", "XDG_CACHE_HOME",
                           "XDG_RUNTIME_DIR", "PIP_CACHE_DIR", "npm_config_cache"}) {
    for (const auto use : {For::Process, For::Release, For::Build}) {
      EXPECT_EQ(compose({.use = use, .builder = defaults, .settings = {{name, "/set"}}}).at(name), "/set") << name;
    }
  }
}

TEST(Environments, ASettingReplacesADefaultOfNpmInAnyCase) {
  const auto build = compose({.use = For::Build,
                              .caches = {{"npm_config_cache", "/cache/npm"}},
                              .settings = {{"NPM_CONFIG_CACHE", "/tmp/c"}}});
  EXPECT_EQ(build.at("NPM_CONFIG_CACHE"), "/tmp/c");
  EXPECT_EQ(build.count("npm_config_cache"), 0U) << "npm would take either";
}

TEST(Environments, ASettingAboutDevelopmentDependenciesReplacesTheDefault) {
  for (const char* name : {"npm_config_omit", "NPM_CONFIG_PRODUCTION", "npm_config_only"}) {
    const auto build =
        compose({.use = For::Build, .builder = {{"npm_config_include", "dev"}}, .settings = {{name, "dev"}}});
    EXPECT_EQ(build.count("npm_config_include"), 0U) << name << ": npm would let include win";
    EXPECT_EQ(build.at(name), "dev");
  }
  const auto both =
      compose({.use = For::Build, .settings = {{"npm_config_omit", "dev"}, {"npm_config_include", "optional"}}});
  EXPECT_EQ(both.at("npm_config_omit"), "dev");
  EXPECT_EQ(both.at("npm_config_include"), "optional");
}

TEST(Environments, TheDirectoriesOfXdgFollowTheHome) {
  const auto process = compose({.settings = {{"HOME", "/data/me/"}, {"XDG_STATE_HOME", "/tmp/state"}}});
  EXPECT_EQ(process.at("XDG_CONFIG_HOME"), "/data/me/.config");
  EXPECT_EQ(process.at("XDG_CACHE_HOME"), "/data/me/.cache");
  EXPECT_EQ(process.at("XDG_STATE_HOME"), "/tmp/state");
  EXPECT_EQ(process.at("XDG_RUNTIME_DIR"), "/tmp/runtime") << "instances that share a home do not share sockets";
}

TEST(Environments, AHomeInDataIsNotUsedByABuildWhichHasNoData) {
  EXPECT_EQ(compose({.use = For::Build, .settings = {{"HOME", "/data/me"}}}).at("HOME"), "/tmp/home");
  EXPECT_EQ(compose({.use = For::Build, .settings = {{"HOME", "/database"}}}).at("HOME"), "/database");
  EXPECT_EQ(compose({.use = For::Release, .settings = {{"HOME", "/data/me"}}}).at("HOME"), "/data/me");
}

TEST(ReservedNames, AreThoseThatThePlatformOrTheShellSets) {
  for (const char* name : {"PATH", "PORT", "APP", "RELEASE", "PROCESS", "INSTANCE", "GIT_COMMIT", "DATA_DIR",
                           "PORT_9394", "PWD", "SHLVL", "_", "IFS"}) {
    EXPECT_TRUE(why_reserved(name)) << name;
    EXPECT_THROW(check_not_reserved(name), UserError) << name;
  }
  for (const char* name : {"HOME", "LANG", "NODE_ENV", "PORT_", "PORT_HTTP", "PORTS", "BASH_ENV", "TERM", "TZ"}) {
    EXPECT_FALSE(why_reserved(name)) << name;
    EXPECT_NO_THROW(check_not_reserved(name)) << name;
  }
}

TEST(ReservedNames, TheRefusalSaysWhy) {
  try {
    check_not_reserved("PWD");
    FAIL();
  } catch (const UserError& error) {
    EXPECT_EQ(error.message(), "setting PWD is reserved: the shell that runs the command sets it itself");
  }
}

TEST(HomeSetting, IsAnAbsolutePath) {
  EXPECT_NO_THROW(check_variable("HOME", "/data/home"));
  EXPECT_NO_THROW(check_variable("NAME", "anything"));
  for (const char* value : {"", "home", "~/x"}) EXPECT_THROW(check_variable("HOME", value), UserError) << value;
}

}  // namespace
}  // namespace pushrod
