// Which tool installs a Node.js app's packages, and what it is told.
#include "build/node_tool.hh"

#include <string>

#include "base/text.hh"
#include "test_tree.hh"

namespace pushrod {
namespace {

namespace fs = std::filesystem;

class NodeToolTest : public testing::Test {
 protected:
  NodeToolTest() {
    for (const char* program : {"node", "npm"}) programs.write(program, "", true);
    host.program_directories = {programs.path()};
  }
  NodeTool chosen(const std::string& package_manager = {}) {
    notices.clear();
    PackageJson package;
    package.package_manager = package_manager;
    return choose_node_tool(tree.path(), package, host, notices);
  }
  // "pnpm, pnpm@9.0.0, locked"
  std::string described(const std::string& package_manager = {}) {
    const auto tool = chosen(package_manager);
    return tool.name + (tool.package.empty() ? "" : ", " + tool.package) + (tool.is_locked ? ", locked" : "");
  }
  std::string told() const { return join(notices, "\n"); }

  TestTree tree;
  TestTree programs;
  Host host;
  std::vector<std::string> notices;
};

TEST_F(NodeToolTest, NpmUnlessALockFileSaysOtherwise) {
  EXPECT_EQ(described(), "npm");
  tree.write("package-lock.json", "{}");
  EXPECT_EQ(described(), "npm, locked");
  EXPECT_EQ(told(), "");
}

TEST_F(NodeToolTest, PnpmRunsAllInstallScriptsUnlessTheAppSaysWhich) {
  const auto runs_all = [&] {
    return install_packages(chosen("pnpm@10.0.0")).find("AllowAllBuilds") != std::string::npos;
  };
  tree.write("package.json", "{}");
  tree.write("pnpm-workspace.yaml", "packages: [a]\n");
  EXPECT_TRUE(runs_all());
  tree.write("pnpm-workspace.yaml", "allowBuilds:\n  sharp: false\n");
  EXPECT_FALSE(runs_all());
  tree.write("pnpm-workspace.yaml", "packages: [a]\n");
  tree.write("package.json", R"({"pnpm": {"onlyBuiltDependencies": ["sharp"]}})");
  EXPECT_FALSE(runs_all());
}

TEST_F(NodeToolTest, ALockFileChoosesItsToolInAVersionThatReadsIt) {
  const auto with = [&](const std::string& name, const std::string& text) {
    tree.write(name, text);
    auto result = described();
    EXPECT_EQ(told(), "");
    fs::remove(tree.path() / name);
    return result;
  };
  EXPECT_EQ(with("pnpm-lock.yaml", "lockfileVersion: '9.0'\n"), "pnpm, pnpm@10, locked");
  EXPECT_EQ(with("pnpm-lock.yaml", "lockfileVersion: '6.0'\n"), "pnpm, pnpm@8, locked");
  EXPECT_EQ(with("pnpm-lock.yaml", "lockfileVersion: 5.4\n"), "pnpm, pnpm@7, locked");
  EXPECT_EQ(with("pnpm-lock.yaml", "lockfileVersion: 5.3\n"), "pnpm, pnpm@6, locked");
  EXPECT_EQ(with("pnpm-lock.yaml", ""), "pnpm, pnpm@10, locked");
  EXPECT_EQ(with("yarn.lock", "# yarn lockfile v1\n"), "yarn, yarn@1, locked");
  for (const auto& [format, version] :
       {std::pair{4, "2"}, {5, "3.1"}, {6, "3"}, {8, "4.13"}, {9, "4.14"}, {10, "4"}, {11, "4"}}) {
    EXPECT_EQ(with("yarn.lock", fmt::format("# x\n\n__metadata:\n  version: {}\n", format)),
              fmt::format("yarn, @yarnpkg/cli-dist@{}, locked", version));
  }
  EXPECT_EQ(with("bun.lock", "{}"), "bun, bun@1, locked");
  EXPECT_EQ(with("bun.lockb", std::string(100'000, '\xff')), "bun, bun@1, locked");
}

TEST_F(NodeToolTest, PackageManagerGoesBeforeLockFiles) {
  tree.write("pnpm-lock.yaml", "lockfileVersion: '9.0'\n");
  EXPECT_EQ(described("pnpm@9.1.2+sha512.0a1b"), "pnpm, pnpm@9.1.2, locked");
  EXPECT_EQ(told(), "");
  EXPECT_EQ(described("yarn@4.9.2"), "yarn, @yarnpkg/cli-dist@4.9.2");
  EXPECT_EQ(told(),
            "pnpm-lock.yaml is not used: packageManager in package.json names yarn, whose lock file is not there: run "
            "yarn install and commit it, or change packageManager");
  EXPECT_EQ(described("yarn@1.22.22"), "yarn, yarn@1.22.22");
  EXPECT_EQ(described("bun@1.2.0"), "bun, bun@1.2.0");
  EXPECT_EQ(described("npm@10.0.0"), "npm") << "the machine's";
}

TEST_F(NodeToolTest, APackageManagerThatIsNoneIsNamed) {
  for (const char* text : {"pip@3", "pnpm", "pnpm@latest", "pnpm@9'; id", "@", "pnpm@"}) {
    EXPECT_EQ(chosen(text).package.find('\''), std::string::npos);
    EXPECT_TRUE(told().starts_with("package.json: packageManager \"" + std::string(text) + "\" is not npm, pnpm"))
        << told();
  }
}

TEST_F(NodeToolTest, ACommittedYarnIsUsedAndAMissingOneToldByItsName) {
  tree.write("yarn.lock", "__metadata:\n  version: 8\n");
  tree.write(".yarnrc.yml", "nodeLinker: node-modules\n\nyarnPath: \"./.yarn/releases/yarn-4.9.2.cjs\"\n");
  EXPECT_EQ(described(), "yarn, @yarnpkg/cli-dist@4.9.2, locked");
  EXPECT_EQ(described("yarn@4.0.0"), "yarn, @yarnpkg/cli-dist@4.0.0, locked");
  tree.write(".yarn/releases/yarn-4.9.2.cjs", "");
  const auto tool = chosen("yarn@4.0.0");
  EXPECT_EQ(told_tool(tool), ".yarn/releases/yarn-4.9.2.cjs");
  EXPECT_EQ(tool.package, "");
  EXPECT_NE(install_tool(tool, "/app/web").find("'/app/web/.yarn/releases/yarn-4.9.2.cjs'"), std::string::npos);
  for (const char* other : {"/bin/yarn.cjs", "../.yarn/yarn.cjs", ".yarn/../../x.cjs", ".yarn/x'; id #.cjs",
                            ".yarn/releases/yarn-1.22.19.cjs"}) {
    tree.write(".yarnrc.yml", "yarnPath: " + std::string(other) + "\n");
    EXPECT_EQ(chosen().committed, "") << other;
  }
}

TEST_F(NodeToolTest, TwoLockFilesAreNamedWithTheOneThatIsUsed) {
  tree.write("package-lock.json", "{}");
  tree.write("yarn.lock", "");
  EXPECT_EQ(described(), "npm, locked");
  EXPECT_EQ(
      told(),
      "package-lock.json and yarn.lock are both there: package-lock.json is used, with npm; remove what you do not "
      "use, or name the tool in package.json: \"packageManager\": \"NAME@VERSION\"");
  EXPECT_EQ(described("yarn@1.22.22"), "yarn, yarn@1.22.22, locked");
  EXPECT_EQ(told(),
            "package-lock.json is not used: yarn.lock is, since packageManager in package.json names yarn: remove "
            "package-lock.json");
}

TEST_F(NodeToolTest, TheMachinesToolIsUsedUnlessAVersionIsNamedOrItIsCorepacks) {
  tree.write("pnpm-lock.yaml", "lockfileVersion: '9.0'\n");
  programs.write("pnpm", "", true);
  EXPECT_EQ(described(), "pnpm, locked");
  EXPECT_EQ(described("pnpm@9.0.0"), "pnpm, pnpm@9.0.0, locked");
  fs::remove(programs.path() / "pnpm");
  programs.write("lib/corepack/pnpm.js", "", true);
  programs.link("pnpm", "lib/corepack/pnpm.js");
  EXPECT_EQ(described(), "pnpm, pnpm@10, locked");
}

TEST_F(NodeToolTest, LockFilesAreFollowedExactlyAndDevelopmentDependenciesInstalled) {
  tree.write("pnpm-lock.yaml", "");
  EXPECT_EQ(install_packages(chosen()),
            "pnpm install --frozen-lockfile --prod=false --store-dir=/cache/pnpm "
            "--config.dangerouslyAllowAllBuilds=true\n");
  EXPECT_EQ(run_script(chosen(), "build"), "pnpm run build");
  EXPECT_EQ(run_script(chosen(), "start"), "pnpm start");
  EXPECT_EQ(install_packages(chosen("yarn@1.22.0")),
            "yarn install --production=false --non-interactive --cache-folder=/cache/yarn\n");
  EXPECT_EQ(install_packages(chosen("yarn@4.0.0")),
            "YARN_ENABLE_GLOBAL_CACHE=true YARN_GLOBAL_FOLDER=/cache/yarn yarn install --no-immutable\n");
  EXPECT_EQ(tool_variables(chosen("yarn@4.0.0")).at("YARN_NODE_LINKER"), "node-modules");
  EXPECT_TRUE(tool_variables(chosen("yarn@1.0.0")).empty());
  EXPECT_EQ(run_script(chosen("bun@1.0.0"), "start"), "bun run start");
  EXPECT_NE(install_tool(chosen("bun@1.0.0"), "/app").find("'bun@1.0.0'"), std::string::npos);
  EXPECT_EQ(install_tool(chosen("npm@10.0.0"), "/app"), "");
}

}  // namespace
}  // namespace pushrod
