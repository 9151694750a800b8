// What is planned for Python.
#include "builder_fixture.hh"

namespace pushrod {
namespace {

namespace fs = std::filesystem;

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
  tree.write("Pipfile.lock", R"({"default": {"flask": {"version": "==3", "hashes": ["sha256:0", "sha256:1"]},
    "own": {"version": "==1", "hashes": ["sha256:2"], "markers": "a == 'b'"}}})");
  EXPECT_NE(script(plan().layers.at(0).steps)
                .find(R"('flask==3 --hash=sha256:0 --hash=sha256:1' 'own==1 ; a == '\''b'\'' --hash=sha256:2' )"),
            std::string::npos)
      << script(plan().layers.at(0).steps);
  tree.write("Pipfile.lock", R"({"default": {"flask": {"version": "==3", "hashes": ["sha256:0"]},
    "own": {"version": "==1", "hashes": []}}})");
  EXPECT_NE(script(plan().layers.at(0).steps).find("'flask==3' 'own==1' "), std::string::npos);
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
  tree.write("pyproject.toml", "[build-system]\nrequires = []\n[project]\nname = 'x'\ndependencies = ['flask>=3']\n");
  EXPECT_TRUE(script(plan()).ends_with("off -r /tmp/requirements.txt\n")) << "the app itself stays where it is";
  tree.write("pyproject.toml",
             "[build-system]\nrequires = []\n[project]\nname = 'x'\ndependencies = ['flask>=3']\n"
             "[project.scripts]\nx = 'x:main'\n");
  EXPECT_TRUE(script(plan()).ends_with(" --no-deps -e .\n")) << script(plan());
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
  for (const std::string name :
       {"Pipfile", "pylock.toml", "environment.yml", "requirements.in", "setup.py", "requirements/base.txt"}) {
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

TEST_F(BuilderTest, RequirementsInUtf16WithAMarkAreReadByPip) {
  tree.write("requirements.txt", std::string("\xFF\xFE#\0\n\0", 6));
  EXPECT_NE(script(plan()).find("install"), std::string::npos);
  tree.write("requirements.txt", std::string("f\0l\0", 4));
  EXPECT_TRUE(refused().starts_with("requirements.txt: is UTF-16, not UTF-8")) << refused();
}

}  // namespace
}  // namespace pushrod
