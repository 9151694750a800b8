// Apps in a directory of their repository, with workspaces around them.
#include "builder_fixture.hh"

namespace pushrod {
namespace {

namespace fs = std::filesystem;

// A workspace: the lock file is in the root, and the app in packages/web.
class BuildRootTest : public BuilderTest {
 protected:
  BuildRootTest() { path = "packages/web"; }
};

TEST_F(BuildRootTest, AWorkspaceIsInstalledInItsRootAndBuiltInTheApp) {
  tree.write("package.json", R"({"workspaces": ["packages/*"]})");
  tree.write("package-lock.json", "{}");
  tree.write("packages/web/package.json", R"({"scripts": {"build": "vite build", "start": "node ."}})");
  const BuildPlan node = plan();
  EXPECT_EQ(node.description, "Node.js, npm ci in /app, npm run build");
  EXPECT_TRUE(node.layers.empty()) << "a lock file that tells nothing of the workspaces";
  EXPECT_EQ(script(node), "(cd /app && npm ci)\nnpm run build\n");
  EXPECT_EQ(node.environment.at("PATH"),
            "/app/packages/web/node_modules/.bin:/app/packages/node_modules/.bin:/app/node_modules/.bin:"
            "/usr/local/bin:/usr/bin:/bin");
  EXPECT_EQ(node.default_processes.front().command, "npm start");
}

TEST_F(BuildRootTest, PackagesOfAWorkspaceAreALayerThatDependsOnItsManifests) {
  const std::string lock = R"({"lockfileVersion": 3, "packages": {"": {}, "packages/web": {}, "packages/lib": {},
    "node_modules/web": {"resolved": "packages/web", "link": true}, "node_modules/a": {"resolved": "https://x.example/a"},
    "packages/web/node_modules/b": {"resolved": "https://x.example/b"}, "node_modules/a/node_modules/c": {}}})";
  tree.write("package.json", R"({"workspaces": ["packages/*"]})");
  tree.write("package-lock.json", lock);
  tree.write("packages/web/package.json", R"({"dependencies": {"b": "1"}, "scripts": {"build": "x"}})");
  tree.write("packages/lib/package.json", R"({"name": "lib", "scripts": {"test": "x"}})");
  const auto node = plan();
  ASSERT_EQ(node.layers.size(), 1U);
  EXPECT_EQ(node.layers[0].description, "npm ci in /app");
  EXPECT_EQ(node.layers[0].mounts,
            (ReleaseMounts{{"app/node_modules", "/app/node_modules"},
                           {"app/packages/web/node_modules", "/app/packages/web/node_modules"}}));
  EXPECT_EQ(node.layers[0].files.size(), 4U);
  EXPECT_EQ(node.layers[0].files.at("packages/lib/package.json"), "{\n  \"name\": \"lib\"\n}");
  const auto has_layer = [&](const std::string& lib) {
    tree.write("packages/lib/package.json", lib);
    return !plan().layers.empty();
  };
  EXPECT_TRUE(has_layer("{}"));
  EXPECT_TRUE(has_layer(R"({"scripts": {"prepare": "tsc"}})"));
  EXPECT_EQ(script(plan().layers[0].then), "(cd /app/packages/lib && npm run prepare)\n");
  EXPECT_TRUE(has_layer(R"({"bin": "cli.js"})"));
  EXPECT_FALSE(has_layer(R"({"directories": {"bin": "x"}})")) << "npm links to all its files";
  fs::remove(tree.path() / "packages/lib/package.json");
  EXPECT_FALSE(!plan().layers.empty());
  fs::remove(tree.path() / "packages/lib");
  tree.link("packages/lib", "web");
  EXPECT_TRUE(plan().layers.empty()) << "through a symlink";
}

TEST_F(BuildRootTest, PackagesOfAWorkspaceOfPnpmAreALayer) {
  const std::string lock =
      "lockfileVersion: '9.0'\n\nimporters:\n\n  .: {}\n\n  packages/lib: {}\n\n  packages/web:\n    dependencies:\n"
      "      b:\n        specifier: ^1\n        version: 1.0.0\n      lib:\n        specifier: workspace:*\n"
      "        version: link:../lib\n\npackages:\n\n  b@1.0.0:\n    resolution: {integrity: sha512-x}\n";
  tree.write("package.json", R"({"packageManager": "pnpm@10.0.0"})");
  tree.write("pnpm-workspace.yaml", "packages:\n  - packages/*\n");
  tree.write("pnpm-lock.yaml", lock);
  tree.write("packages/web/package.json",
             R"({"dependencies": {"b": "^1", "lib": "workspace:*"}, "scripts": {"build": "x", "start": "x"}})");
  tree.write("packages/lib/package.json", R"({"name": "lib"})");
  const auto node = plan();
  ASSERT_EQ(node.layers.size(), 1U);
  EXPECT_EQ(node.layers[0].mounts, (ReleaseMounts{{"app/node_modules", "/app/node_modules"},
                                                  {"app/packages/lib/node_modules", "/app/packages/lib/node_modules"},
                                                  {"app/packages/web/node_modules", "/app/packages/web/node_modules"},
                                                  {"app/.pushrod", "/app/.pushrod"}}));
  EXPECT_EQ(node.layers[0].files.size(), 5U);
  EXPECT_EQ(script(node), "pnpm run build\n");
  const auto has_layer = [&](const std::string& file, const std::string& text) {
    tree.write(file, text);
    return !plan().layers.empty();
  };
  EXPECT_TRUE(has_layer("pnpm-lock.yaml", lock));
  for (const char* other : {"        version: link:../../../lib\n", "        version: link:../other\n",
                            "        version: file:packages/lib\n"}) {
    EXPECT_FALSE(has_layer("pnpm-lock.yaml", lock.substr(0, lock.find("\npackages:")) + other)) << other;
  }
  EXPECT_FALSE(has_layer("pnpm-lock.yaml", "lockfileVersion: '5.4'\n")) << "it tells of no package";
  tree.write("pnpm-lock.yaml", lock);
  tree.write("packages/web/package.json", R"({"scripts": {"postinstall": "x", "start": "x"}})");
  EXPECT_TRUE(has_layer("packages/lib/package.json", R"({"name": "lib", "scripts": {"postinstall": "x"}})"));
  EXPECT_EQ(script(plan().layers[0].then), "(cd /app && pnpm --recursive run postinstall)\n") << "once, for both";
  fs::remove(tree.path() / "package.json");
  EXPECT_FALSE(plan().layers.empty()) << "the root needs no package.json";
  EXPECT_TRUE(has_layer("pnpm-workspace.yaml", "packages:\n  - packages/*\nonlyBuiltDependencies:\n  - b\n"));
  EXPECT_FALSE(has_layer("pnpm-workspace.yaml", "patchedDependencies:\n  b: b.patch\n"));
}

TEST_F(BuildRootTest, PackagesOfAWorkspaceOfYarnAreALayer) {
  const auto has_layer = [&](const std::string& package) {
    tree.write("package.json", package);
    return !plan().layers.empty();
  };
  tree.write("yarn.lock", "# yarn lockfile v1\n");
  tree.write("packages/web/package.json", R"({"dependencies": {"lib": "1.0.0"}, "scripts": {"start": "x"}})");
  tree.write("packages/lib/package.json", R"({"name": "lib", "version": "1.0.0"})");
  tree.write("packages/notes.txt", "");
  ASSERT_TRUE(has_layer(R"({"private": true, "workspaces": ["./packages/*"]})"));
  const auto layer = plan().layers[0];
  EXPECT_EQ(layer.files.size(), 4U);
  EXPECT_EQ(layer.mounts.at(2).path, "/app/packages/web/node_modules");
  EXPECT_TRUE(has_layer(R"({"workspaces": {"packages": ["packages/web", "packages/lib"]}})"));
  for (const char* pattern : {"packages/**", "!packages/lib", "packages/{web,lib}", "../*"}) {
    EXPECT_FALSE(has_layer(R"({"workspaces": ["packages/*", ")" + std::string(pattern) + "\"]}")) << pattern;
  }
  ASSERT_TRUE(has_layer(R"({"workspaces": ["packages/*"]})"));
  tree.write("packages/lib/package.json", R"({"name": "lib", "dependencies": {"c": "link:../c"}})");
  EXPECT_TRUE(plan().layers.empty()) << "yarn's lock file does not tell of it";
  tree.write("packages/lib/package.json", R"({"name": "lib"})");
  tree.link("packages/other", "lib");
  EXPECT_TRUE(plan().layers.empty()) << "through a symlink";
}

TEST_F(BuildRootTest, ARootThatRunsNothingNamesThePackagesThatDo) {
  path = "";
  tree.write("package.json", R"({"workspaces": ["packages/*"], "scripts": {"dev": "x & y"}})");
  tree.write("packages/web/package.json", R"({"scripts": {"start": "x"}})");
  tree.write("packages/lib/package.json", "{}");
  const auto remedy = [&] { return refusal<UserError>([&] { choose_processes(plan(), {}); }); };
  EXPECT_NE(remedy().find("so say which package runs (packages/web): app set APP --path packages/web --build-root ."),
            std::string::npos)
      << remedy();
  tree.write("packages/api/package.json", R"({"scripts": {"dev": "nodemon index.js"}})");
  EXPECT_NE(remedy().find("(packages/api, packages/web): app set APP --path packages/api --build-root ."),
            std::string::npos)
      << remedy();
}

TEST_F(BuildRootTest, OnlyAPackageOfTheWorkspaceIsInstalledInItsRoot) {
  const auto command = [&](const std::string& workspaces) {
    tree.write("package.json", R"({"workspaces": )" + workspaces + "}");
    return script(plan());
  };
  const std::string in_root = "(cd /app && npm install)\n";
  const std::string own = "npm install\n";
  tree.write("packages/web/package.json", R"({"dependencies": {"a": "1"}})");
  EXPECT_EQ(command(R"(["packages/web"])"), in_root);
  EXPECT_EQ(command(R"(["./packages/*/"])"), in_root);
  EXPECT_EQ(command(R"(["**"])"), in_root);
  EXPECT_EQ(command(R"({"packages": ["packages/*"]})"), in_root);
  EXPECT_EQ(command(R"(["packages/*", "!packages/web"])"), own);
  EXPECT_EQ(command(R"(["apps/*"])"), own);
  EXPECT_EQ(command(R"(["*"])"), own);
  EXPECT_EQ(command("3"), own);
}

TEST_F(BuildRootTest, TheAppsOwnLockFileCountsFirst) {
  tree.write("package.json", R"({"workspaces": ["packages/*"]})");
  tree.write("package-lock.json", "{}");
  tree.write("packages/web/package.json", R"({"dependencies": {"a": "1"}})");
  tree.write("packages/web/package-lock.json", "{}");
  EXPECT_EQ(plan().layers.at(0).mounts,
            (ReleaseMounts{{"app/packages/web/node_modules", "/app/packages/web/node_modules"}}));
  EXPECT_TRUE(script(plan().layers.at(0).steps).starts_with("(cd /app/packages/web && npm ci)\n"));
}

TEST_F(BuildRootTest, APackageAboveTheAppIsItsPackage) {
  tree.write("package.json", R"({"dependencies": {"a": "1"}})");
  tree.write("packages/web/index.js", "");
  EXPECT_EQ(script(plan()), "(cd /app && npm install)\n");
}

TEST_F(BuildRootTest, TheLanguageOfTheAppsOwnDirectoryCountsFirst) {
  tree.write("package.json", "{}");
  tree.write("packages/web/requirements.txt", "-e ../shared\n");
  const BuildPlan python = plan();
  EXPECT_EQ(python.builder, "python");
  EXPECT_NE(script(python).find("\n/venv/bin/python "), std::string::npos) << script(python);
}

TEST_F(BuildRootTest, RequirementsOfTheRootAreInstalledThere) {
  tree.write("requirements.txt", "-e ./packages/shared\n");
  tree.write(".python-version", "3.12\n");
  tree.write("packages/web/app.py", "");
  const auto python = plan();
  EXPECT_NE(script(python).find("(cd /app && /venv/bin/python "), std::string::npos) << script(python);
  EXPECT_TRUE(script(python).starts_with("python3.12 "));
  tree.write("packages/web/.python-version", "3.11\n");
  EXPECT_TRUE(script(plan()).starts_with("python3 "));
}

TEST_F(BuildRootTest, AnOwnCommandFindsTheProgramsOfTheWorkspace) {
  tree.write("package.json", "{}");
  tree.write("pyproject.toml", "");
  AppManifest manifest;
  manifest.build_command = "make";
  const auto own = plan(manifest);
  EXPECT_EQ(own.mounts, ReleaseMounts{venv_mount()});
  EXPECT_EQ(own.environment.at("PATH"),
            "/venv/bin:/app/packages/web/node_modules/.bin:/app/packages/node_modules/.bin:/app/node_modules/.bin:"
            "/usr/local/bin:/usr/bin:/bin");
}

TEST_F(BuildRootTest, OnlyTheAppsOwnBuildShBuildsIt) {
  tree.write(".build.sh", "true", true);
  tree.write("packages/web/notes.txt", "");
  EXPECT_EQ(plan().builder, "none");
}

}  // namespace
}  // namespace pushrod
