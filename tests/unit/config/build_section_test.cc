// [build] of pushrod.toml.
#include <gtest/gtest.h>

#include "config/app_manifest.hh"
#include "fixtures.hh"

namespace pushrod {
namespace {

class BuildSection : public testing::Test {
 protected:
  AppManifest load() const { return load_manifest(directory_.path(), ""); }
  std::string problem() const {
    return refusal([&] { load(); });
  }
  ConfigDirectory directory_;
};

TEST_F(BuildSection, BuildersAreOneNameOrSeveral) {
  const auto builders = [&](const std::string& value) {
    directory_.write("pushrod.toml", "[build]\nbuilder = " + value + "\n");
    return load().builders;
  };
  EXPECT_EQ(builders("\"node\""), std::vector<std::string>{"node"});
  EXPECT_EQ(builders("[\"node\", \"python\"]"), (std::vector<std::string>{"node", "python"}));
  EXPECT_FALSE(load().build_command);
  const auto refused = [&](const std::string& text) {
    directory_.write("pushrod.toml", "[build]\n" + text);
    return problem();
  };
  EXPECT_TRUE(refused("builder = []\n").starts_with("pushrod.toml:2: \"builder\" in [build] names none"));
  EXPECT_TRUE(refused("builder = [\"node\", \"node\"]\n")
                  .starts_with("pushrod.toml:2: \"builder\" in [build] names \"node\" twice"));
  EXPECT_TRUE(refused("builder = 3\n").starts_with("pushrod.toml:2: ")) << problem();
  EXPECT_TRUE(refused("builder = \"node\"\ncommand = \"make\"\n")
                  .starts_with("pushrod.toml:2: \"builder\" in [build] and a command exclude each other | keep one"));
}

TEST_F(BuildSection, ACommandMayRunAfterTheBuilder) {
  directory_.write("pushrod.toml", "[build]\nafter = \"make docs\"\n");
  EXPECT_EQ(load().build_after, "make docs");
  EXPECT_FALSE(load().build_command);
  directory_.write("pushrod.toml", "[build]\nafter = \"make docs\"\ncommand = \"make\"\n");
  EXPECT_EQ(load().build_command, "make");
  directory_.write("pushrod.toml", "[build]\nafter = \"a\\u0000b\"\n");
  EXPECT_EQ(problem(), "pushrod.toml:2: \"after\" in [build] contains a NUL character");
}

TEST_F(BuildSection, TheNetworkSubmodulesAndBuildpacks) {
  directory_.write("pushrod.toml", "[build]\n");
  EXPECT_TRUE(problem().find("\"command\" in [build] is missing") != std::string::npos) << problem();
  directory_.write("pushrod.toml", "[build]\nnetwork = false\nsubmodules = false\n");
  EXPECT_FALSE(load().build_network);
  EXPECT_FALSE(load().build_submodules);
  directory_.write("pushrod.toml", "[build]\nbuildpacks = [\"a\", \"https://x/y.git#1\"]\n");
  EXPECT_EQ(load().buildpacks, (std::vector<std::string>{"a", "https://x/y.git#1"}));
  EXPECT_TRUE(load().build_network);
  directory_.write("pushrod.toml", "[build]\nbuildpacks = [\"a\"]\nbuilder = \"node\"\n");
  EXPECT_TRUE(problem().starts_with("pushrod.toml:2: \"buildpacks\" in [build] and a builder or a command exclude"))
      << problem();
}

TEST_F(BuildSection, ABuildRootIsADirectoryAboveTheApps) {
  const auto root = [&](const std::string& text) {
    directory_.write("pushrod.toml", "[build]\nroot = \"" + text + "\"\n");
    return load().build_root;
  };
  EXPECT_EQ(root("../.."), "../..");
  EXPECT_EQ(load().build_command, std::nullopt);
  for (const std::string wrong : {"", "..//..", "/", "src", "../src", "../"}) {
    directory_.write("pushrod.toml", "[build]\nroot = \"" + wrong + "\"\n");
    EXPECT_EQ(problem(), "pushrod.toml:2: \"root\" in [build]: \"" + wrong +
                             "\" is not above the app's directory | write it relative to the app's directory: \"..\", "
                             "\"../..\"");
  }
}

}  // namespace
}  // namespace pushrod
