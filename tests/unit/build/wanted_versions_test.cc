// Versions that an app's files ask for, and the machine does not have.
#include "build/wanted_versions.hh"

#include <string>

#include "base/text.hh"
#include "test_tree.hh"

namespace pushrod {
namespace {

namespace fs = std::filesystem;

// A machine with Node.js 20.20.2, npm 10.8.1 and Python 3.11.2.
class WantedVersionsTest : public testing::Test {
 protected:
  WantedVersionsTest() {
    programs.write("node", "#!/bin/sh\necho v20.20.2\n", true);
    programs.write("npm", "#!/bin/sh\necho 10.8.1\n", true);
    programs.write("python3", "#!/bin/sh\necho Python 3.11.2\n", true);
    host.program_directories = {programs.path()};
  }
  std::string node() { return join(unmet_node_versions(tree.path(), host), "\n"); }
  std::string python() { return join(unmet_python_versions(tree.path(), host, "python3"), "\n"); }

  TestTree tree;
  TestTree programs;
  Host host;
};

TEST_F(WantedVersionsTest, NothingIsToldOfVersionsThatAreThere) {
  EXPECT_EQ(node() + python(), "");
  tree.write("package.json", R"({"engines": {"node": ">=18 <21", "npm": "10.x"}, "packageManager": "npm@10.8.1+sha1.a",
                                 "volta": {"node": "20.20.2"}})");
  tree.write("pyproject.toml", "[project]\nrequires-python = '>=3.10'\n");
  tree.write(".python-version", "# pyenv\n3.11\n");
  tree.write("runtime.txt", "python-3.11.2\n");
  tree.write(".tool-versions", "nodejs 20.20.2 # here\npython 3.11.2\nruby 3.3.0\n");
  for (const char* version : {"20", "v20.20.2", "lts/iron", "lts/*", "node",
                              "\xEF\xBB\xBF"
                              "20\r\n",
                              "# old\n20\n", ""}) {
    tree.write(".nvmrc", version);
    EXPECT_EQ(node(), "") << version;
  }
  EXPECT_EQ(python(), "");
}

TEST_F(WantedVersionsTest, EachFileIsNamedWithBothVersions) {
  const std::string remedy = ", which is used: allow that version, or have the administrator install the other one";
  tree.write("package.json", R"({"engines": {"node": "98.76.x", "npm": ">=11"}})");
  EXPECT_EQ(node(), "package.json: engines.node asks for Node.js 98.76.x; this machine has 20.20.2" + remedy +
                        "\npackage.json: engines.npm asks for npm >=11; this machine has 10.8.1" + remedy);
  tree.write("package.json", R"({"packageManager": "npm@9.0.0"})");
  EXPECT_EQ(node(), "package.json: packageManager asks for npm 9.0.0; this machine has 10.8.1" + remedy);
  tree.write("package.json", "{");
  tree.write(".nvmrc", "v98.76.54\n");
  tree.write(".node-version", "18.1.0\n");
  tree.write(".tool-versions", "nodejs 22.1.0\n");
  EXPECT_EQ(node(), ".nvmrc asks for Node.js v98.76.54; this machine has 20.20.2" + remedy +
                        "\n.node-version asks for Node.js 18.1.0; this machine has 20.20.2" + remedy +
                        "\n.tool-versions asks for Node.js 22.1.0; this machine has 20.20.2" + remedy);
  tree.write("pyproject.toml", "[project]\nrequires-python = \">=3.12\"\n");
  tree.write(".python-version", "3.11.9\n");
  EXPECT_EQ(python(), ".python-version asks for Python 3.11.9; this machine has 3.11.2" + remedy +
                          "\npyproject.toml: requires-python asks for Python >=3.12; this machine has 3.11.2" + remedy);
  tree.write(".python-version", "3.11\n");
  tree.write("pyproject.toml", "[tool.poetry.dependencies]\npython = \"^3.13\"\nflask = \"*\"\n");
  EXPECT_EQ(python(), "pyproject.toml: requires-python asks for Python ^3.13; this machine has 3.11.2" + remedy);
}

TEST_F(WantedVersionsTest, WhatIsNoVersionIsNamedToo) {
  tree.write(".nvmrc", "iojs-\x1b[2J\n");
  EXPECT_TRUE(node().starts_with(".nvmrc asks for Node.js \"iojs-\\x1b[2J\", which is not understood")) << node();
  tree.write(".nvmrc", "lts/hydrogen\n");
  EXPECT_TRUE(node().starts_with(".nvmrc asks for Node.js 18; this machine has 20.20.2")) << node();
}

TEST_F(WantedVersionsTest, WhatIsNotInstalledIsNotCompared) {
  tree.write(".nvmrc", "18");
  programs.write("node", "#!/bin/sh\nexit 1\n", true);
  EXPECT_EQ(node(), "");
  programs.write("node", "", true);
  EXPECT_EQ(node(), "");
  fs::remove(programs.path() / "node");
  EXPECT_EQ(node(), "");
}

TEST_F(WantedVersionsTest, FilesThatCannotBeReadAreLeftToTheirTools) {
  tree.link(".nvmrc", "/etc/passwd");
  tree.write(".python-version", std::string("3\0.\0", 4));
  tree.write("pyproject.toml", "[project\n");
  EXPECT_EQ(node() + python(), "");
}

}  // namespace
}  // namespace pushrod
