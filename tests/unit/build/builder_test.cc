// Which builder a tree gets, and what it plans.
#include "build/builder.hh"

#include <string>

#include "base/error.hh"
#include "base/text.hh"
#include "build/builders.hh"
#include "test_tree.hh"

namespace pushrod {
namespace {

namespace fs = std::filesystem;

// A machine with python3 = 3.11 and 3.12 beside it, node and npm, and the system's pip.
class BuilderTest : public testing::Test {
 protected:
  BuilderTest() {
    for (const char* program : {"python3.11", "python3.12", "node", "npm"}) programs.write(program, "", true);
    programs.link("python3", "python3.11");
    programs.write("pip-runner.py", "");
    host.program_directories = {programs.path()};
    host.pip_runner = programs.path() / "pip-runner.py";
  }
  BuildPlan plan(const AppManifest& manifest = {}) { return plan_build_on({tree.path(), path}, manifest, host); }
  std::string refused() {
    return refusal<UserError>([&] { plan(); });
  }

  TestTree tree;
  std::string path;  // of the app in the tree, which is the build root
  TestTree programs;
  Host host;
};

TEST_F(BuilderTest, NothingToBuildInATreeOfNoKnownKind) {
  tree.write("index.html", "hello");
  const BuildPlan none = plan();
  EXPECT_EQ(none.builder, "none");
  EXPECT_EQ(script(none), "");
  EXPECT_TRUE(none.mounts.empty());
  EXPECT_EQ(none.environment, (Environment{{"PATH", "/usr/local/bin:/usr/bin:/bin"}}));
}

TEST_F(BuilderTest, PythonWithoutRequirementsHasNothingToBuildButLogsAtOnce) {
  tree.write("app.py", "print()");
  EXPECT_EQ(plan().builder, "none");
  EXPECT_EQ(plan().environment["PYTHONUNBUFFERED"], "1");
}

TEST_F(BuilderTest, RequirementsMakeAVirtualenvWithTheSystemsPip) {
  tree.write("requirements.txt", "flask==3.0\n");
  const BuildPlan python = plan();
  EXPECT_EQ(python.builder, "python");
  EXPECT_EQ(python.description, "Python 3.11, pip");
  EXPECT_TRUE(python.steps.empty());
  ASSERT_EQ(python.layers.size(), 1U);
  EXPECT_EQ(script(python.layers[0].steps),
            "python3 -m venv --without-pip /venv\n(cd /app && /venv/bin/python " + host.pip_runner.string() +
                " install --no-input --disable-pip-version-check --progress-bar off -r requirements.txt)\n");
  EXPECT_EQ(python.layers[0].mounts, ReleaseMounts{venv_mount()});
  EXPECT_EQ(python.layers[0].files, (std::map<std::string, std::string>{{"requirements.txt", "flask==3.0\n"}}));
  EXPECT_EQ(script(python.layers[0].in_place), "python3 -m venv --without-pip /venv\n/venv/bin/python " +
                                                   host.pip_runner.string() +
                                                   " install --no-input --disable-pip-version-check --progress-bar off"
                                                   " -r requirements.txt\n");
  EXPECT_TRUE(python.mounts.empty());
  EXPECT_EQ(python.environment, (Environment{{"PATH", "/venv/bin:/usr/local/bin:/usr/bin:/bin"},
                                             {"VIRTUAL_ENV", "/venv"},
                                             {"PYTHONUNBUFFERED", "1"}}));
  EXPECT_TRUE(python.default_processes.empty());
}

TEST_F(BuilderTest, RequirementsThatDoNotSayTheirVersionsAreInstalledByEachBuild) {
  tree.write("requirements.txt", "flask==3.0\ngunicorn\n");
  EXPECT_TRUE(plan().layers.empty());
  EXPECT_EQ(plan().mounts, ReleaseMounts{venv_mount()});
  EXPECT_EQ(
      join(plan().notices, ""),
      "requirements.txt does not say which version of gunicorn is wanted, so every push installs all packages, in "
      "whatever versions are the newest: write name==version, as pip freeze does");
  tree.write("requirements.txt", "flask==3.0\n-e .\n");
  EXPECT_TRUE(plan().layers.empty());
  EXPECT_TRUE(plan().notices.empty()) << "its own code changes with every push";
}

TEST_F(BuilderTest, PipIsBootstrappedWhereTheSystemHasNone) {
  tree.write("requirements.txt", "flask\n");
  fs::remove(host.pip_runner);
  EXPECT_EQ(script(plan()),
            "python3 -m venv /venv\n/venv/bin/python -m pip install --no-input --disable-pip-version-check "
            "--progress-bar off -r requirements.txt\n");
}

TEST_F(BuilderTest, RequirementsOfCommentsOnlyNeedNoPip) {
  tree.write("requirements.txt", "# nothing yet\n\n   \r\n");
  EXPECT_EQ(script(plan()), "python3 -m venv --without-pip /venv\n");
  EXPECT_EQ(plan().description, "Python 3.11, no requirements");
  tree.write("requirements.txt", "# one\nflask");
  EXPECT_EQ(plan().description, "Python 3.11, pip");
}

TEST_F(BuilderTest, SymlinkedRequirementsAreLeftToPip) {
  tree.link("requirements.txt", "/etc/passwd");
  EXPECT_EQ(plan().description, "Python 3.11, pip");
}

TEST_F(BuilderTest, ThePackagesOfAPipfileLockAreInstalled) {
  tree.write("Pipfile", "[packages]\nflask = '*'\n");
  tree.write("Pipfile.lock",
             R"({"_meta": {"sources": [{"url": "https://pypi.org/simple"}, {"url": "https://x.example/$A"}],
    "requires": {"python_version": "3.11"}}, "develop": {"pytest": {"version": "==8"}}, "default": {
    "flask": {"version": "==3.0.0", "hashes": ["sha256:0"], "extras": ["async"], "markers": "python_version >= '3.8'"},
    "own": {"git": "https://x.example/own.git", "ref": "0a1b"}}})");
  EXPECT_EQ(plan().description, "Python 3.11, pip from Pipfile.lock");
  EXPECT_NE(
      script(plan()).find(R"(printf '%s\n' 'flask[async]==3.0.0 ; python_version >= '\''3.8'\''' )"
                          R"('own @ git+https://x.example/own.git@0a1b' '--extra-index-url https://x.example/$A' )"
                          "> /tmp/requirements.txt\n/venv/bin/python "),
      std::string::npos)
      << script(plan());
  EXPECT_TRUE(script(plan()).ends_with(" --no-deps -r /tmp/requirements.txt\n")) << script(plan());
  EXPECT_TRUE(plan().notices.empty());
  tree.write("Pipfile.lock", R"({"default": {}, "develop": {}})");
  EXPECT_EQ(plan().description, "Python 3.11, no requirements from Pipfile.lock");
  for (const char* text : {"{", "[]", "{}", R"({"default": {"own": {"path": "."}}})", R"({"default": [1]})",
                           R"({"default": {"a": {"version": "==1\n--x"}}})", R"({"default": {"a": 1}})"}) {
    tree.write("Pipfile.lock", text);
    EXPECT_EQ(plan().builder, "none") << text;
    EXPECT_TRUE(join(plan().notices, "").starts_with("Pipfile.lock is there, but the packages")) << text;
  }
  tree.write("requirements.txt", "flask\n");
  EXPECT_EQ(plan().description, "Python 3.11, pip");
  EXPECT_TRUE(
      join(plan().notices, "").starts_with("Pipfile.lock is not used: pip installs what requirements.txt says"));
}

TEST_F(BuilderTest, TheDependenciesOfAPyprojectAreInstalled) {
  tree.write("pyproject.toml", "[tool.black]\nline-length = 100\n");
  EXPECT_EQ(plan().builder, "none");
  EXPECT_TRUE(plan().notices.empty());
  tree.write("pyproject.toml", "[project]\nname = 'x'\ndependencies = ['flask>=3', \"it's\"]\n");
  EXPECT_EQ(plan().description, "Python 3.11, pip from pyproject.toml");
  EXPECT_NE(script(plan()).find(R"(printf '%s\n' 'flask>=3' 'it'\''s' > /tmp/requirements.txt)"), std::string::npos)
      << script(plan());
  tree.write("uv.lock", "version = 1\n");
  EXPECT_EQ(join(plan().notices, ""),
            "uv.lock is not used: pip installs what pyproject.toml says; for the versions that it locks: uv export "
            "--no-dev --no-emit-project -o requirements.txt");
  fs::remove(tree.path() / "uv.lock");
  tree.write("pyproject.toml", "[build-system]\nrequires = []\n[project]\nname = 'x'\ndependencies = ['flask>=3']\n");
  EXPECT_TRUE(script(plan()).ends_with(" install --no-input --disable-pip-version-check --progress-bar off .\n"));
  const std::string poetry = "[build-system]\n[tool.poetry.dependencies]\npython = '^3.11'\nflask = '*'\n";
  tree.write("pyproject.toml", poetry);
  EXPECT_TRUE(script(plan()).ends_with(" off .\n"));
  tree.write("pyproject.toml", "[tool.poetry]\npackage-mode = false\n" + poetry);
  EXPECT_EQ(plan().builder, "none");
  EXPECT_TRUE(join(plan().notices, "").starts_with("pyproject.toml is there, but the packages"))
      << plan().notices.size();
  tree.write("pyproject.toml", poetry);
  tree.write("package.json", "{}");
  EXPECT_EQ(plan().builder, "node");
  EXPECT_TRUE(join(plan().notices, "").starts_with("pyproject.toml is there, but the packages"));
}

TEST_F(BuilderTest, OtherFilesWithPythonPackagesAreNamed) {
  for (const std::string name : {"Pipfile", "poetry.lock", "uv.lock", "pdm.lock", "environment.yml", "requirements.in",
                                 "setup.py", "requirements/base.txt"}) {
    tree.write(name, "x");
    EXPECT_EQ(plan().builder, "none");
    EXPECT_TRUE(join(plan().notices, "\n").starts_with(name + " is there, but the packages that it asks for are not"))
        << join(plan().notices, "\n");
    AppManifest own;
    own.build_command = "make";
    EXPECT_TRUE(plan(own).notices.empty());
    fs::remove(tree.path() / name);
  }
}

TEST_F(BuilderTest, ToolsFindTheirCachesInACommandOfTheAppsOwnToo) {
  tree.write("requirements.txt", "flask\n");
  EXPECT_EQ(cache_variables(plan()), (Environment{{"PIP_CACHE_DIR", "/cache/pip"}}));
  AppManifest own;
  own.build_command = "make";
  EXPECT_EQ(cache_variables(plan(own)),
            (Environment{{"PIP_CACHE_DIR", "/cache/pip"}, {"npm_config_cache", "/cache/npm"}}));
}

TEST_F(BuilderTest, AnotherInstalledPythonIsUsedWithItsOwnPip) {
  tree.write("requirements.txt", "flask");
  tree.write("runtime.txt", "python-3.12.1\n");
  EXPECT_EQ(plan().description, "Python 3.12, pip");
  EXPECT_TRUE(script(plan()).starts_with("python3.12 -m venv /venv\n/venv/bin/python -m pip install"));
}

TEST_F(BuilderTest, ThePatchLevelOfTheDefaultPythonDoesNotMatter) {
  tree.write("requirements.txt", "flask");
  for (const char* version : {"3", "3.11", "3.11.9", "# pyenv\n3.11\n", ""}) {
    tree.write(".python-version", version);
    EXPECT_EQ(plan().description, "Python 3.11, pip") << version;
  }
}

TEST_F(BuilderTest, APythonThatIsNotInstalledIsRefused) {
  tree.write("requirements.txt", "flask");
  tree.write(".python-version", "3.13\n");
  EXPECT_EQ(refused(),
            ".python-version asks for Python 3.13; this machine has 3.11, 3.12 | "
            "change or remove .python-version, or ask the administrator to install python3.13");
}

TEST_F(BuilderTest, AVersionThatIsNoneIsRefused) {
  tree.write("requirements.txt", "flask");
  for (const char* version : {"2.7", "pypy3.9", "3.", "3.11;id", "3.x", "3.11.4.5", "3.11 3.12", "-3"}) {
    tree.write(".python-version", version);
    EXPECT_TRUE(refused().starts_with(".python-version asks for \"")) << version << ": " << refused();
  }
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

TEST_F(BuilderTest, NodeWithALockFileIsInstalledCleanly) {
  tree.write("package.json", R"({"dependencies": {"left": "1"}, "scripts": {"build": "make", "start": "node a.js"}})");
  tree.write("package-lock.json", "{}");
  const BuildPlan node = plan();
  EXPECT_EQ(node.builder, "node");
  EXPECT_EQ(node.description, "Node.js, npm ci, npm run build");
  EXPECT_EQ(script(node), "npm run build\n");
  EXPECT_EQ(script(node.layers.at(0).in_place), "npm ci\n");
  ASSERT_EQ(node.layers.size(), 1U);
  EXPECT_EQ(script(node.layers[0].steps), "(cd /app && npm ci)\n(cd /app && mkdir -p node_modules/.cache)\n");
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
                            R"({"dependencies": {"left": "1"}, "pnpm": {"patchedDependencies": {}}})"}) {
    tree.write("package.json", other);
    EXPECT_FALSE(has_layer()) << other;
  }
  tree.write("package.json", package);
  for (const char* lock :
       {R"({"packages": {"left": {}, "node_modules/left": {"resolved": "left", "link" : true}}})",
        R"({"packages": {"node_modules/left": {"resolved": "file:left.tgz"}}})",
        R"({"packages": {"../left": {}, "node_modules/left": {"resolved": "../left", "link": true}}})",
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

TEST_F(BuilderTest, RequirementsInUtf16WithAMarkAreReadByPip) {
  tree.write("requirements.txt", std::string("\xFF\xFE#\0\n\0", 6));
  EXPECT_NE(script(plan()).find("install"), std::string::npos);
  tree.write("requirements.txt", std::string("f\0l\0", 4));
  EXPECT_TRUE(refused().starts_with("requirements.txt: is UTF-16, not UTF-8")) << refused();
}

TEST_F(BuilderTest, ASymlinkedPackageJsonIsNotRead) {
  tree.link("package.json", "/etc/passwd");
  EXPECT_EQ(refused(), "package.json is a symlink | commit the file itself under that name");
}

TEST_F(BuilderTest, OddlyTypedPackageJsonIsLeftToNpm) {
  tree.write("package.json", R"({"scripts": ["start"], "dependencies": 3})");
  EXPECT_EQ(plan().description, "Node.js, npm install");
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
  tree.write("Gemfile", "");
  tree.write("mix.exs", "");
  const auto environment = plan().environment;
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
  EXPECT_EQ(guess(R"({"main": "dist/a.js", "scripts": {"build": "tsc"}})"), "node dist/a.js");
  EXPECT_EQ(guess(R"({"main": "../a.js", "scripts": {"build": "tsc"}})"), "");
  EXPECT_EQ(guess(R"({"scripts": {"build": "tsc"}})"), "");
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

TEST_F(BuilderTest, ABuildOfTheAppsOwnLeavesNpmStart) {
  tree.write("package.json", R"({"scripts": {"start": "node a.js"}})");
  AppManifest manifest;
  manifest.build_command = "make";
  EXPECT_EQ(choose_processes(plan(manifest), manifest).at(0).command, "npm start");
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
  EXPECT_FALSE(has_layer(R"({"scripts": {"prepare": "tsc"}})")) << "it is built when it is installed";
  EXPECT_FALSE(has_layer(R"({"bin": "cli.js"})")) << "npm links to its files";
  fs::remove(tree.path() / "packages/lib/package.json");
  EXPECT_FALSE(!plan().layers.empty());
  fs::remove(tree.path() / "packages/lib");
  tree.link("packages/lib", "web");
  EXPECT_TRUE(plan().layers.empty()) << "through a symlink";
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
  tree.write("packages/web/index.html", "");
  EXPECT_EQ(plan().builder, "none");
}

}  // namespace
}  // namespace pushrod
