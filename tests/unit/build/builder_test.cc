// Which builder a tree gets, and which processes.
#include "builder_fixture.hh"

namespace pushrod {
namespace {

namespace fs = std::filesystem;

TEST_F(BuilderTest, NothingToBuildInATreeOfNoKnownKind) {
  tree.write("notes.txt", "hello");
  const BuildPlan none = plan();
  EXPECT_EQ(none.builder, "none");
  EXPECT_EQ(script(none), "");
  EXPECT_TRUE(none.mounts.empty());
  EXPECT_EQ(none.environment, (Environment{{"PATH", "/usr/local/bin:/usr/bin:/bin"}}));
}

TEST_F(BuilderTest, TwoFilesThatAskForDifferentVersionsAreRefused) {
  tree.write("requirements.txt", "flask");
  tree.write(".python-version", "3.11");
  tree.write("runtime.txt", "python-3.11.2");
  EXPECT_EQ(plan().description, "Python 3.11, pip");
  tree.write("runtime.txt", "python-3.12.0");
  EXPECT_EQ(refused(), ".python-version asks for Python 3.11, and runtime.txt for 3.12 | keep one of the two files");
}

TEST_F(BuilderTest, AMachineWithoutPythonSaysHowToGetIt) {
  tree.write("requirements.txt", "flask");
  fs::remove(programs.path() / "python3");
  EXPECT_EQ(refusal<Error>([&] { plan(); }),
            "Python is not installed on this machine | its administrator can install it: apt-get install python3 "
            "python3-pip python3-venv");
}

TEST_F(BuilderTest, ACommandOrScriptOfItsOwnGetsTheVariablesOfNode) {
  tree.write("package.json", "{}");
  for (const char* way : {"command", "script"}) {
    AppManifest manifest;
    if (way == std::string("command")) {
      manifest.build_command = "npm ci && make";
    } else {
      tree.write(".build.sh", "#!/bin/sh\n", true);
    }
    const BuildPlan own = plan(manifest);
    EXPECT_EQ(own.builder, way);
    EXPECT_EQ(own.environment.at("NODE_ENV"), "production");
    EXPECT_EQ(own.build_environment.at("npm_config_include"), "dev");
    EXPECT_EQ(own.environment.at("PATH"), "/app/node_modules/.bin:/usr/local/bin:/usr/bin:/bin");
  }
}

TEST_F(BuilderTest, TwoLanguagesNeedAWordThatSaysWhich) {
  tree.write("requirements.txt", "flask");
  tree.write("package.json", "{}");
  EXPECT_EQ(
      refused(),
      "both requirements.txt and package.json are there: which language builds the app? | say it in pushrod.toml: "
      "[build] builder = \"python\", or \"node\", or for both [\"node\", \"python\"], of which the last one serves; or "
      "write a [build] command of your own");

  AppManifest manifest;
  manifest.build_command = "make";
  const BuildPlan own = plan(manifest);
  EXPECT_EQ(own.builder, "command");
  EXPECT_EQ(script(own), "make\n");
  EXPECT_EQ(own.mounts, ReleaseMounts{venv_mount()});
  EXPECT_EQ(own.environment.at("PATH"), "/venv/bin:/app/node_modules/.bin:/usr/local/bin:/usr/bin:/bin");
}

TEST_F(BuilderTest, ABuilderIsChosenByName) {
  tree.write("requirements.txt", "flask==3.0\n");
  tree.write("package.json", R"({"scripts": {"build": "make", "start": "node ."}})");
  AppManifest manifest;
  manifest.builders = {"python"};
  EXPECT_EQ(plan(manifest).builder, "python");
  EXPECT_TRUE(plan(manifest).default_processes.empty());
  manifest.builders = {"node"};
  EXPECT_EQ(plan(manifest).builder, "node");
  manifest.builders = {"cobol"};
  EXPECT_TRUE(refusal<UserError>([&] {
                plan(manifest);
              }).starts_with("[build] builder in pushrod.toml: there is no builder \"cobol\" | known: python, node"));
  fs::remove(tree.path() / "package.json");
  manifest.builders = {"node"};
  EXPECT_TRUE(refusal<UserError>([&] {
                plan(manifest);
              }).starts_with("[build] builder = \"node\" in pushrod.toml, and there is no package.json"));
}

TEST_F(BuilderTest, SeveralBuildersWorkInOrderAndTheLastOneServes) {
  tree.write("requirements.txt", "flask==3.0\n");
  tree.write("package.json", R"({"dependencies": {"a": "1"}, "scripts": {"build": "make", "start": "node ."}})");
  tree.write("package-lock.json", "{}");
  AppManifest manifest;
  manifest.builders = {"node", "python"};
  const auto both = plan(manifest);
  EXPECT_EQ(both.builder, "node+python");
  EXPECT_EQ(both.description, "Node.js, npm ci, npm run build; Python 3.11, pip");
  EXPECT_EQ(both.layers.size(), 2U);
  EXPECT_EQ(script(both), "npm run build\n");
  EXPECT_TRUE(both.default_processes.empty());
  EXPECT_EQ(both.environment.at("PATH"), "/app/node_modules/.bin:/venv/bin:/usr/local/bin:/usr/bin:/bin");
  EXPECT_EQ(both.environment.at("NODE_ENV"), "production");
  EXPECT_EQ(both.environment.at("VIRTUAL_ENV"), "/venv");
  EXPECT_EQ(both.build_environment.at("npm_config_include"), "dev");
  EXPECT_EQ(cache_variables(both).size(), 2U);
  manifest.builders = {"python", "node"};
  EXPECT_EQ(plan(manifest).default_processes.at(0).command, "npm start");
}

TEST_F(BuilderTest, ACommandAfterTheBuilderRunsInTheAppsDirectory) {
  AppManifest manifest;
  manifest.build_after = "make docs";
  EXPECT_EQ(script(plan(manifest)), "(cd /app && make docs)\n");
  EXPECT_EQ(plan(manifest).description, "make docs");
  tree.write("package.json", R"({"dependencies": {"a": "1"}})");
  EXPECT_EQ(script(plan(manifest)), "npm install\n(cd /app && make docs)\n");
  EXPECT_EQ(plan(manifest).description, "Node.js, npm install, make docs");
  tree.write("package-lock.json", "{}");
  EXPECT_EQ(script(plan(manifest)), "(cd /app && make docs)\n");
  EXPECT_EQ(plan(manifest).description, "Node.js, npm ci, make docs");
  manifest.build_command = "cd /tmp && make";
  EXPECT_EQ(script(plan(manifest)), "cd /tmp && make\n(cd /app && make docs)\n");
}

TEST_F(BuilderTest, LanguagesAreToldThatTheyAreInProduction) {
  for (const char* program : {"ruby", "bundle"}) programs.write(program, "", true);
  tree.write("Gemfile", "");
  tree.write("mix.exs", "");
  AppManifest ruby;
  ruby.builders = {"ruby"};
  const auto environment = plan(ruby).environment;
  EXPECT_EQ(environment.at("RAILS_ENV"), "production");
  EXPECT_EQ(environment.at("RACK_ENV"), "production");
  EXPECT_EQ(environment.at("MIX_ENV"), "prod");
  EXPECT_FALSE(environment.contains("NODE_ENV"));
}

TEST_F(BuilderTest, StaticFilesOfDjangoAreCollectedWhereTheProjectSaysWhereTo) {
  tree.write("requirements.txt", "django==5.1\n");
  tree.write("manage.py", "");
  tree.write("site/settings.py", "STATIC_URL = 'static/'\n");
  EXPECT_TRUE(plan().steps.empty());
  tree.write("site/settings.py", "STATIC_ROOT = BASE_DIR / 'static'\n");
  EXPECT_EQ(script(plan()),
            "if [ -z \"$DISABLE_COLLECTSTATIC\" ]; then python manage.py collectstatic --noinput; fi\n");
  EXPECT_EQ(told(plan().steps), "python manage.py collectstatic");
  fs::remove(tree.path() / "manage.py");
  EXPECT_TRUE(plan().steps.empty());
}

TEST_F(BuilderTest, AScriptAsTheCommandIsDescribedByItsFirstLine) {
  AppManifest manifest;
  manifest.build_command = "make one\nmake two\n";
  EXPECT_EQ(plan(manifest).description, "make one …");
  manifest.build_command = "make\n";
  EXPECT_EQ(plan(manifest).description, "make");
}

TEST_F(BuilderTest, TheCommandGoesBeforeTheScriptAndTheScriptBeforeALanguage) {
  tree.write("requirements.txt", "flask");
  tree.write(".build.sh", "#!/bin/sh\n", true);
  const BuildPlan own = plan();
  EXPECT_EQ(own.builder, "script");
  EXPECT_EQ(script(own), "./.build.sh\n");
  EXPECT_EQ(own.mounts, ReleaseMounts{venv_mount()});

  AppManifest manifest;
  manifest.build_command = "make";
  EXPECT_EQ(plan(manifest).builder, "command");
}

TEST_F(BuilderTest, ACommandInATreeWithoutPythonHasNoVirtualenv) {
  AppManifest manifest;
  manifest.build_command = "make";
  EXPECT_TRUE(plan(manifest).mounts.empty());
  EXPECT_EQ(plan(manifest).environment.at("PATH"), "/usr/local/bin:/usr/bin:/bin");
}

TEST_F(BuilderTest, AScriptThatCannotRunIsRefused) {
  tree.write(".build.sh", "#!/bin/sh\n");
  EXPECT_EQ(refused(), ".build.sh is there, but not executable | git update-index --chmod=+x .build.sh, then commit");
  fs::remove(tree.path() / ".build.sh");
  tree.link(".build.sh", "/bin/true");
  EXPECT_TRUE(refused().starts_with(".build.sh is not a plain file"));
  fs::remove(tree.path() / ".build.sh");
  tree.link(".build.sh", "/nowhere");
  EXPECT_TRUE(refused().starts_with(".build.sh is not a plain file"));
}

TEST_F(BuilderTest, DirectoriesAreNoSignOfALanguage) {
  fs::create_directory(tree.path() / "requirements.txt");
  fs::create_directory(tree.path() / "package.json");
  EXPECT_EQ(plan().builder, "none");
}

TEST_F(BuilderTest, TheBuildersDefaultIsThereUnlessTheManifestNamesThatType) {
  tree.write("package.json", R"({"scripts": {"start": "node a.js"}})");
  AppManifest manifest;
  EXPECT_EQ(choose_processes(plan(), manifest).at(0).command, "npm start");
  manifest.processes.push_back(Process{.type = ProcessType::parse("worker"), .command = "node w.js", .health = {}});
  ASSERT_EQ(choose_processes(plan(), manifest).size(), 2U);
  EXPECT_EQ(choose_processes(plan(), manifest).at(0).command, "npm start");
  EXPECT_EQ(choose_processes(plan(), manifest).at(1).command, "node w.js");
  manifest.processes.insert(manifest.processes.begin(),
                            Process{.type = ProcessType::parse("web"), .command = "node b.js", .health = {}});
  ASSERT_EQ(choose_processes(plan(), manifest).size(), 2U);
  EXPECT_EQ(choose_processes(plan(), manifest).at(0).command, "node b.js");
}

TEST_F(BuilderTest, AnAppThatSaysNothingIsToldWhatToWrite) {
  EXPECT_EQ(refusal<UserError>([&] { choose_processes(plan(), {}); }),
            "the app does not say what to run: there is no Procfile, no [processes] in pushrod.toml | "
            "commit a Procfile with a line such as \"web: python3 app.py\"");
  tree.write("main.py", "");
  EXPECT_NE(refusal<UserError>([&] { choose_processes(plan(), {}); }).find("\"web: python3 main.py\""),
            std::string::npos);
  tree.write("package.json", "{}");
  EXPECT_EQ(refusal<UserError>([&] { choose_processes(plan(), {}); }),
            "the app does not say what to run: there is no Procfile, no [processes] in pushrod.toml, no start script, "
            "server.js or main in package.json | commit a Procfile with a line such as \"web: node server.js\"");
}

TEST_F(BuilderTest, ATypeWithoutACommandGetsTheBuildersOrIsRefused) {
  tree.write("package.json", R"({"scripts": {"start": "node a.js"}})");
  AppManifest manifest;
  manifest.processes.push_back(Process{.type = ProcessType::parse("web"), .command = "", .count = 2, .health = {}});
  ASSERT_EQ(choose_processes(plan(manifest), manifest).size(), 1U);
  EXPECT_EQ(choose_processes(plan(manifest), manifest).at(0).command, "npm start");
  EXPECT_EQ(choose_processes(plan(manifest), manifest).at(0).count, 2U);
  manifest.build_command = "make";
  EXPECT_EQ(choose_processes(plan(manifest), manifest).at(0).command, "npm start");
  tree.write("package.json", "{}");
  EXPECT_EQ(
      refusal<UserError>([&] { choose_processes(plan(manifest), manifest); }),
      "[processes.web] in pushrod.toml has no command, and there is no Procfile | give it there: command = \"…\"");
}

TEST_F(BuilderTest, TheAppsDirectoryIsReachedThroughNoSymlink) {
  tree.write("tree/inner/deep/app.py", "");
  tree.write("tree/inner/file", "");
  tree.link("tree/link", "inner");
  tree.link("tree/inner/out", "/etc");
  const Checkout checkout{tree.path()};
  EXPECT_EQ(app_directory(checkout, ""), tree.path() / "tree");
  EXPECT_EQ(app_directory(checkout, "."), tree.path() / "tree");
  EXPECT_EQ(app_directory(checkout, "inner/deep"), tree.path() / "tree/inner/deep");
  EXPECT_EQ(app_directory(checkout, "inner/"), tree.path() / "tree/inner");
  for (const char* wrong : {"link", "link/deep", "inner/out", "inner/file", "..", "inner/..", "/etc", "missing"}) {
    EXPECT_TRUE(refusal<UserError>([&] { app_directory(checkout, wrong); }).starts_with("the app's path \"")) << wrong;
  }
}

}  // namespace
}  // namespace pushrod
