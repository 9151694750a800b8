// What is planned for Node.js.
#include "build/own_files.hh"
#include "builder_fixture.hh"

namespace pushrod {
namespace {

namespace fs = std::filesystem;

TEST_F(BuilderTest, ToolsFindTheirCachesInACommandOfTheAppsOwnToo) {
  tree.write("requirements.txt", "flask\n");
  EXPECT_EQ(cache_variables(plan()), (Environment{{"PIP_CACHE_DIR", "/cache/pip"}}));
  AppManifest own;
  own.build_command = "make";
  EXPECT_EQ(cache_variables(plan(own)), (Environment{{"CARGO_HOME", "/cache/cargo"},
                                                     {"GOMODCACHE", "/cache/go-modules"},
                                                     {"MIX_HOME", "/cache/mix"},
                                                     {"PIP_CACHE_DIR", "/cache/pip"},
                                                     {"npm_config_cache", "/cache/npm"}}));
}

TEST_F(BuilderTest, NodeWithALockFileIsInstalledCleanly) {
  tree.write("package.json", R"({"dependencies": {"left": "1"}, "scripts": {"build": "make", "start": "node a.js"}})");
  tree.write("package-lock.json", "{}");
  const BuildPlan node = plan();
  EXPECT_EQ(node.builder, "node");
  EXPECT_EQ(node.description, "Node.js, npm ci, npm run build");
  EXPECT_EQ(script(node), "npm run build\n");
  EXPECT_EQ(script(node.layers.at(0).in_place), "npm ci\n");
  ASSERT_EQ(node.layers.size(), 1U);
  EXPECT_EQ(script(node.layers[0].steps), "(cd /app && npm ci)\n(cd /app && mkdir -p -- node_modules/.cache)\n");
  EXPECT_EQ(node.layers[0].mounts, (ReleaseMounts{{"app/node_modules", "/app/node_modules"}}));
  EXPECT_EQ(node.layers[0].files.size(), 2U);
  EXPECT_EQ(node.environment.at("PATH"), "/app/node_modules/.bin:/usr/local/bin:/usr/bin:/bin");
  EXPECT_EQ(node.environment.at("NODE_ENV"), "production");
  EXPECT_EQ(node.build_environment.at("npm_config_include"), "dev") << "development dependencies are what builds";
  EXPECT_TRUE(node.mounts.empty());
  ASSERT_EQ(node.default_processes.size(), 1U);
  EXPECT_EQ(node.default_processes[0].type.str(), "web");
  EXPECT_EQ(node.default_processes[0].command, "npm start");
}

TEST_F(BuilderTest, PackagesOfNodeDependOnThePartsOfPackageJsonThatSayWhatToInstall) {
  const auto files = [&](const std::string& package) {
    tree.write("package.json", package);
    return plan().layers.at(0).files;
  };
  tree.write("package-lock.json", "{}");
  tree.write(".npmrc", "fund=false\n");
  const auto before = files(R"({"dependencies": {"left": "1"}, "scripts": {"start": "node a"}, "author": "x"})");
  EXPECT_EQ(before.at(".npmrc"), "fund=false\n");
  EXPECT_EQ(before, files(R"({"dependencies": {"left": "1"}, "scripts": {"start": "node b"}})"));
  EXPECT_NE(before, files(R"({"dependencies": {"left": "2"}})"));
  EXPECT_NE(before, files(R"({"dependencies": {"left": "1"}, "overrides": {"right": "1"}})"));
}

TEST_F(BuilderTest, TheAppsOwnInstallScriptsRunOnItsFiles) {
  tree.write("package-lock.json", "{}");
  const auto steps = [&](const std::string& scripts) {
    tree.write("package.json", R"({"dependencies": {"left": "1"}, "scripts": )" + scripts + "}");
    return script(plan().layers.at(0).then);
  };
  EXPECT_EQ(steps(R"({"postinstall": "x", "build": "y"})"), "npm run postinstall\n");
  EXPECT_EQ(steps(R"({"preinstall": "x", "postinstall": "x", "prepare": "x"})"),
            "npm run preinstall\nnpm run postinstall\nnpm run prepare\n");
  EXPECT_EQ(steps(R"({"preinstall": "x", "install": "x", "postinstall": "x"})"), "npm run install\n")
      << "npm runs the others with it";
}

TEST_F(BuilderTest, PrismasClientIsGeneratedWhereInstallingWouldHaveDoneIt) {
  const auto then = [&](const std::string& more) {
    tree.write("package.json", R"({"dependencies": {"@prisma/client": "6", "prisma": "6"})" + more + "}");
    return told(plan().layers.at(0).then);
  };
  tree.write("package-lock.json", "{}");
  EXPECT_EQ(then(R"(, "scripts": {"postinstall": "x"})"), "npm run postinstall");
  EXPECT_EQ(then(R"(, "prisma": {"schema": "src/schema.prisma"})"), "prisma generate");
  tree.write("prisma/schema.prisma", "");
  EXPECT_EQ(then(R"(, "scripts": {"postinstall": "x"})"), "prisma generate, npm run postinstall");
  EXPECT_EQ(then(R"(, "scripts": {"build": "prisma generate && next build"})"), "");
}

TEST_F(BuilderTest, PackagesThatDependOnMoreThanAFewFilesAreInstalledByEachBuild) {
  const std::string package = R"({"dependencies": {"left": "1"}})";
  const auto has_layer = [&] { return !plan().layers.empty(); };
  tree.write("package.json", package);
  EXPECT_FALSE(has_layer()) << "without a lock file";
  EXPECT_EQ(join(plan().notices, "").find("there is no lock file, so every push installs all packages"), 0U);
  tree.write("package-lock.json", "{}");
  EXPECT_TRUE(has_layer());
  for (const char* other : {R"({"dependencies": {"left": "file:./left"}})", R"({"dependencies": {"left": "../left"}})",
                            R"({"dependencies": {"left": "1"}, "workspaces": ["packages/*"]})",
                            R"({"dependencies": {"left": "1"}, "pnpm": {"patchedDependencies": {"left": "none"}}})"}) {
    tree.write("package.json", other);
    EXPECT_FALSE(has_layer()) << other;
  }
  tree.write("package.json", package);
  for (const char* lock :
       {R"({"packages": {"left": {}, "node_modules/left": {"resolved": "left", "link" : true}}})",
        R"({"packages": {"node_modules/left": {"resolved": "file:left.tgz"}}})",
        R"({"packages": {"../left": {}, "node_modules/left": {"resolved": "../left", "link": true}}})",
        R"({"packages": {"../../other/node_modules/left": {}}})",
        R"({"packages": {"a/../../b/node_modules/left": {}}})", R"({"packages": {"/etc/node_modules/left": {}}})",
        R"({"packages": {"a\u0000b/node_modules/left": {}}})",
        R"({"dependencies": {"left": {"version": "file:left"}}})"}) {
    tree.write("package-lock.json", lock);
    EXPECT_FALSE(has_layer()) << lock;
  }
  tree.write("package-lock.json", "{}");
  for (const auto& [file, text] : {std::pair{".npmrc", "cafile=ca.pem\n"}, std::pair{"binding.gyp", "{}"},
                                   std::pair{".pnpmfile.cjs", ""}, std::pair{"node_modules", "a file"}}) {
    tree.write(file, text);
    EXPECT_FALSE(has_layer()) << file;
    fs::remove(tree.path() / file);
  }
  tree.link("node_modules", "/etc");
  EXPECT_FALSE(has_layer());
  fs::remove(tree.path() / "node_modules");
  EXPECT_TRUE(has_layer());
}

TEST_F(BuilderTest, PatchesOfPackagesAreAPartOfTheLayer) {
  const std::string lock = "lockfileVersion: '9.0'\nimporters:\n  .: {}\n";
  tree.write("pnpm-lock.yaml", lock);
  tree.write("patches/left.patch", "+1\n");
  tree.write("patches/right@1.patch", "+2\n");
  tree.write("package.json",
             R"({"dependencies": {"left": "1"}, "pnpm": {"patchedDependencies": {"left": "patches/left.patch"}}})");
  EXPECT_EQ(plan().layers.at(0).files.at("patches/left.patch"), "+1\n");
  EXPECT_EQ(plan().layers.at(0).files.size(), 3U);
  tree.write("pnpm-workspace.yaml", "patchedDependencies:\n  # why\n  'right@1': \"patches/right@1.patch\"\nx: y\n");
  EXPECT_EQ(plan().layers.at(0).files.at("patches/right@1.patch"), "+2\n");
  for (const char* other :
       {"patchedDependencies: {right: patches/right@1.patch}\n", "patchedDependencies:\n  right: ../right.patch\n",
        "patchedDependencies:\n  right:\n    x: y\n", "patchedDependencies:\n  right: patches/none.patch\n"}) {
    tree.write("pnpm-workspace.yaml", other);
    EXPECT_TRUE(plan().layers.empty()) << other;
  }
  fs::remove(tree.path() / "pnpm-workspace.yaml");
  fs::remove(tree.path() / "patches/left.patch");
  tree.link("patches/left.patch", "/etc/passwd");
  EXPECT_TRUE(plan().layers.empty());
}

TEST_F(BuilderTest, ProgramsOfAWorkspaceArePartsOfTheLayerWithTheirFirstLines) {
  tree.write("package.json", R"({"workspaces": ["packages/*"]})");
  tree.write("package-lock.json", R"({"packages": {"packages/cli": {}, "node_modules/cli": {"link": true}}})");
  const auto files = [&](const std::string& bin) {
    tree.write("packages/cli/package.json", R"({"name": "cli", "bin": )" + bin + "}");
    return plan().layers.empty() ? OwnFiles{} : plan().layers[0].files;
  };
  tree.write("packages/cli/bin/run.js", "#!/usr/bin/env node\nconsole.log(1)\n");
  const auto before = files(R"("./bin/run.js")");
  EXPECT_EQ(before.at("packages/cli/bin/run.js"), "#!/usr/bin/env node\n");
  EXPECT_EQ(told(plan().layers[0].then), "chmod +x -- packages/cli/bin/run.js");
  tree.write("packages/cli/bin/run.js", "#!/usr/bin/env node\nconsole.log(2)\n", true);
  EXPECT_EQ(files(R"("./bin/run.js")"), before) << "the code of a program changes nothing";
  EXPECT_TRUE(plan().layers[0].then.empty()) << "it can be run already";
  EXPECT_FALSE(files(R"({"cli": "dist/made.js"})").contains("packages/cli/dist/made.js")) << "its build makes it";
  EXPECT_TRUE(files(R"({"cli": "../other.js"})").empty());
  EXPECT_TRUE(files(R"(["cli.js"])").empty());
  tree.link("packages/cli/link.js", "/etc/passwd");
  EXPECT_TRUE(files(R"("link.js")").empty());
}

TEST_F(BuilderTest, PackagesAreCompiledWithTheHeadersOfTheMachinesNode) {
  tree.write("package.json", R"({"dependencies": {"left": "1"}})");
  EXPECT_FALSE(plan().build_environment.contains("npm_config_nodedir"));
  programs.write("bin/node", "", true);
  programs.write("include/node/common.gypi", "");
  host.program_directories = {programs.path() / "bin", programs.path()};
  EXPECT_EQ(plan().build_environment.at("npm_config_nodedir"), programs.path().native());
}

TEST_F(BuilderTest, InstallScriptsOfPackagesRunUnlessPackageJsonSaysWhich) {
  const std::string variable = "npm_config_dangerously_allow_all_scripts";
  tree.write("package.json", R"({"dependencies": {"left": "1"}})");
  EXPECT_EQ(plan().build_environment.at(variable), "true");
  tree.write("package.json", R"({"dependencies": {"left": "1"}, "allowScripts": {"left": false}})");
  EXPECT_FALSE(plan().build_environment.contains(variable));
}

TEST_F(BuilderTest, SettingsOfNpmThatChangeNoPlaceAreAPartOfTheLayer) {
  tree.write("package.json", R"({"dependencies": {"left": "1"}})");
  tree.write("package-lock.json", "{}");
  const auto has_layer = [&](const std::string& settings) {
    tree.write(".npmrc", settings);
    return !plan().layers.empty();
  };
  EXPECT_TRUE(has_layer("save-prefix=''\nshamefully-hoist=true\n"));
  EXPECT_FALSE(has_layer("fund=false\nprefix=/tmp/x\n"));
}

TEST_F(BuilderTest, AToolOfTheRegistryIsAPartOfTheLayer) {
  tree.write("package.json", R"({"dependencies": {"left": "1"}, "packageManager": "pnpm@9.1.0"})");
  tree.write("pnpm-lock.yaml", "lockfileVersion: '9.0'\nsettings:\n  excludeLinksFromLockfile: false\n");
  const auto node = plan();
  EXPECT_TRUE(node.steps.empty());
  EXPECT_EQ(node.layers.at(0).mounts,
            (ReleaseMounts{{"app/node_modules", "/app/node_modules"}, {"app/.pushrod", "/app/.pushrod"}}));
  EXPECT_NE(script(node.layers.at(0).steps).find("pnpm@9.1.0"), std::string::npos);
  tree.write("pnpm-lock.yaml", "lockfileVersion: '9.0'\n    version: link:../left\n");
  EXPECT_TRUE(plan().layers.empty());
}

TEST_F(BuilderTest, AWorkspaceOfPnpmIsInstalledThoughItsRootAsksForNothing) {
  tree.write("package.json", R"({"packageManager": "pnpm@9.1.0", "scripts": {"start": "pnpm --filter api start"}})");
  EXPECT_EQ(script(plan()).find("pnpm install"), std::string::npos);
  tree.write("pnpm-workspace.yaml", "packages: [apps/*]\n");
  tree.write("pnpm-lock.yaml", "lockfileVersion: '9.0'\n");
  EXPECT_NE(script(plan()).find("pnpm install --frozen-lockfile"), std::string::npos);
}

TEST_F(BuilderTest, ModernYarnsOwnFilesAreAPartOfTheLayer) {
  tree.write("package.json", R"({"dependencies": {"left": "patch:left@1#~/.yarn/patches/left.patch"}})");
  tree.write("yarn.lock", "__metadata:\n  version: 8\n\n\"left@patch:left@1#~/.yarn/patches/left.patch\":\n");
  tree.write(".yarnrc.yml",
             "nodeLinker: node-modules\nplugins:\n  - path: .yarn/plugins/@yarnpkg/x.cjs\n"
             "yarnPath: .yarn/releases/yarn-4.9.2.cjs\n");
  for (const char* file : {"releases/yarn-4.9.2.cjs", "plugins/@yarnpkg/x.cjs", "patches/left.patch", "cache/left.zip",
                           "unplugged/a", "install-state.gz"}) {
    tree.write(".yarn/" + std::string(file), "git@host:x ${TOKEN}");
  }
  tree.write(".pnp.cjs", "");
  const auto node = plan();
  const auto& layer = node.layers.at(0);
  EXPECT_EQ(layer.files.size(), 7U);
  EXPECT_TRUE(layer.files.contains(".yarn/cache/left.zip"));
  EXPECT_EQ(script(layer.then), "rm -f .pnp.cjs .pnp.js .pnp.loader.mjs\n");
  EXPECT_EQ(node.description, "Node.js, .yarn/releases/yarn-4.9.2.cjs, yarn install");
  EXPECT_EQ(node.environment.at("YARN_NODE_LINKER"), "node-modules");
  EXPECT_FALSE(node.build_environment.contains("YARN_PRODUCTION")) << "which it refuses";
  for (const char* other : {"cacheFolder: ../cache\n", "plugins:\n  - path: .yarn/plugins/@yarnpkg/y.cjs\n",
                            "plugins:\n  - ./tools/plugin.js\n", "plugins:\n  - path: .yarn/plugins/theirs/x.cjs\n"}) {
    tree.write(".yarnrc.yml", other);
    EXPECT_TRUE(plan().layers.empty()) << other;
  }
  fs::remove(tree.path() / ".yarnrc.yml");
  tree.link(".yarn/cache/link", "/etc/passwd");
  EXPECT_TRUE(plan().layers.empty());
  fs::remove(tree.path() / ".yarn/cache/link");
  EXPECT_FALSE(plan().layers.empty());
  tree.write("yarn.lock", "__metadata:\n  version: 8\n\n\"left@patch:left@1#./left.patch\":\n");
  EXPECT_TRUE(plan().layers.empty());
}

TEST_F(BuilderTest, NodeWithoutALockFileIsInstalled) {
  tree.write("package.json", R"({"devDependencies": {"left": "1"}})");
  EXPECT_EQ(script(plan()), "npm install\n");
  EXPECT_TRUE(plan().default_processes.empty());
}

TEST_F(BuilderTest, NodeThatAsksForNothingRunsNoNpm) {
  tree.write("package.json", R"({"dependencies": {}, "scripts": {"start": "node a.js", "build": ""}})");
  fs::remove(programs.path() / "npm");
  EXPECT_EQ(script(plan()), "");
  EXPECT_EQ(plan().description, "Node.js, no dependencies");
}

TEST_F(BuilderTest, WhatNpmRunsOnItsOwnIsRun) {
  tree.write("package.json", R"({"scripts": {"postinstall": "make"}})");
  EXPECT_EQ(plan().description, "Node.js, npm install");
  tree.write("package.json", "{}");
  EXPECT_EQ(plan().description, "Node.js, no dependencies");
  tree.write("binding.gyp", "{}");
  EXPECT_EQ(plan().description, "Node.js, npm install");
}

TEST_F(BuilderTest, BadPackageJsonIsRefusedWithItsPlace) {
  tree.write("package.json", "{\n  \"name\": \"x\",\n  \"scripts\": {,}\n}");
  EXPECT_EQ(refused(), "package.json:3:15: not valid JSON | npm could not read it either");
  tree.write("package.json", "");
  EXPECT_EQ(refused(), "package.json:1:1: not valid JSON | npm could not read it either");
  tree.write("package.json", R"({"version": 1e999})");
  EXPECT_EQ(refused(), "package.json: a number in it is too large | write a smaller one");
  tree.write("package.json", "[]");
  EXPECT_TRUE(refused().starts_with("package.json:1: not a JSON object"));
  tree.write("package.json", "{\"a\": \"\xff\"}");
  EXPECT_TRUE(refused().starts_with("package.json:1: not valid UTF-8")) << refused();
  tree.write("package.json", std::string(500'000, '['));
  EXPECT_TRUE(refused().starts_with("package.json:1:")) << refused();
  tree.write("package.json", std::string(500'000, '[') + std::string(500'000, ']'));
  EXPECT_TRUE(refused().starts_with("package.json:1: not a JSON object")) << refused();
  tree.write("package.json", std::string(1'100'000, ' ') + "{}");
  EXPECT_EQ(refused(), "package.json has 1.1 MB; at most 1.0 MB are read | ");
}

TEST_F(BuilderTest, FilesOfWindowsAreRead) {
  tree.write("package.json", "\xEF\xBB\xBF{\r\n\"scripts\": {\"start\": \"node a.js\"}\r\n}\r\n");
  EXPECT_EQ(plan().default_processes.size(), 1U);
  tree.write("package.json", std::string("{\0}\0", 4));
  EXPECT_TRUE(refused().starts_with("package.json: is UTF-16, not UTF-8")) << refused();
}

TEST_F(BuilderTest, ASymlinkedPackageJsonIsNotRead) {
  tree.link("package.json", "/etc/passwd");
  EXPECT_EQ(refused(), "package.json is a symlink | commit the file itself under that name");
}

TEST_F(BuilderTest, OddlyTypedPackageJsonIsLeftToNpm) {
  tree.write("package.json", R"({"scripts": ["start"], "dependencies": 3})");
  EXPECT_EQ(plan().description, "Node.js, npm install");
}

TEST_F(BuilderTest, NodeWithoutAStartScriptRunsServerJsOrItsMainFile) {
  const auto guess = [&](const std::string& package) {
    tree.write("package.json", package);
    const auto chosen = plan();
    return chosen.guessed_web ? chosen.guessed_web->command : "";
  };
  EXPECT_EQ(guess(R"({"main": "app.js"})"), "") << "not there";
  tree.write("app.js", "");
  EXPECT_EQ(guess(R"({"main": "app.js"})"), "node app.js");
  EXPECT_EQ(guess(R"({"main": "./app"})"), "node app");
  EXPECT_EQ(guess(R"({"main": "a b; id.js", "scripts": {"build": "tsc"}})"), "node 'a b; id.js'");
  EXPECT_EQ(guess(R"({"main": "dist/a.js"})"), "");
  tree.write("src/index.ts", "");
  EXPECT_EQ(guess(R"({"main": "src/index.ts"})"), "") << "is TypeScript";
  EXPECT_EQ(guess(R"({"main": "dist/a.js", "scripts": {"build": "tsc"}})"), "node dist/a.js");
  EXPECT_EQ(guess(R"({"main": "../a.js", "scripts": {"build": "tsc"}})"), "");
  EXPECT_EQ(guess(R"({"scripts": {"build": "tsc"}})"), "node app.js");
  EXPECT_EQ(guess(R"({"main": "index.js"})"), "node app.js") << "npm init writes that, whatever is there";
  tree.write("index.js", "");
  EXPECT_EQ(guess("{}"), "node index.js");
  tree.write("server.js", "");
  EXPECT_EQ(guess(R"({"main": "app.js"})"), "node server.js");
  EXPECT_EQ(guess(R"({"main": "app.js", "scripts": {"start": "x"}})"), "");

  tree.write("package.json", R"({"main": "app.js"})");
  EXPECT_EQ(choose_processes(plan(), {}).at(0).command, "node server.js");
  EXPECT_NE(join(plan().notices, "\n").find("web runs \"node server.js\""), std::string::npos);
  AppManifest manifest;
  manifest.processes.push_back(Process{.type = ProcessType::parse("worker"), .command = "node w.js", .health = {}});
  ASSERT_EQ(choose_processes(plan(manifest), manifest).size(), 1U) << "a bot has a main file, and no port";
  EXPECT_TRUE(plan(manifest).notices.empty());
}

TEST_F(BuilderTest, ABuildOfTheAppsOwnLeavesNpmStart) {
  tree.write("package.json", R"({"scripts": {"start": "node a.js"}})");
  AppManifest manifest;
  manifest.build_command = "make";
  EXPECT_EQ(choose_processes(plan(manifest), manifest).at(0).command, "npm start");
}

}  // namespace
}  // namespace pushrod
