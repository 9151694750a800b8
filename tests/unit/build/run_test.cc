// Builds and release commands in a real sandbox, in a throw-away root.
#include <unistd.h>

#include <fstream>
#include <string>

#include "base/error.hh"
#include "build/builder.hh"
#include "build/layer.hh"
#include "model/environment.hh"
#include "os/command.hh"
#include "os/files.hh"
#include "os/unique_fd.hh"
#include "test_tree.hh"

namespace pushrod {
namespace {

namespace fs = std::filesystem;

// No process has this command line any more, or soon: SIGKILL takes a moment.
void expect_gone(const std::string& command_line) {
  Command look;
  look.argv = {"pgrep", "-fx", command_line};
  const Deadline deadline{Milliseconds{5'000}};
  while (run(look).code == 0) {
    ASSERT_FALSE(deadline.passed()) << command_line << " outlived its build";
    usleep(5'000);
  }
}

class RunTest : public testing::Test {
 protected:
  RunTest() { fs::create_directories(tree()); }

  fs::path tree() const { return checkout.tree(); }
  void write(const std::string& name, const std::string& content, bool executable = false) const {
    root.write("checkouts/blog/7/tree/" + name, content, executable);
  }
  BuildPlan plan(const std::string& command) const {
    AppManifest manifest;
    manifest.build_command = command;
    return plan_build({tree()}, manifest);
  }
  SandboxJob job(const BuildPlan& plan = {}) {
    EnvironmentLayers layers{.use = EnvironmentLayers::For::Build,
                             .caches = cache_variables(plan),
                             .builder = plan.environment,
                             .settings = environment};
    layers.builder.insert(plan.build_environment.begin(), plan.build_environment.end());
    return {.layout = layout,
            .app = AppName::parse("blog"),
            .checkout = checkout,
            .source = {RepoName::parse("blog"), BranchName::parse("main"), path, "", build_root},
            .environment = compose(layers),
            .timeout = timeout,
            .cancel_fd = cancel_fd,
            .on_output = [this](std::string_view chunk) { output += chunk; }};
  }
  void build(const std::string& command) { build(plan(command)); }
  // With its layers made first, as deploy/layers.hh does.
  void build(const BuildPlan& chosen) {
    auto building = job(chosen);
    building.mounts = chosen.mounts;
    std::vector<BuildStep> steps;
    for (const auto& layer : chosen.layers) {
      steps.insert(steps.end(), layer.then.begin(), layer.then.end());
      const auto name = layer_name(layer, {});
      make_directory(layout.layer(name));
      make_layer(layer, building, layout.layer(name));
      for (auto mount : layer.mounts) {
        mount.layer = name;
        building.mounts.push_back(mount);
      }
    }
    steps.insert(steps.end(), chosen.steps.begin(), chosen.steps.end());
    mounts = run_build(steps, building);
  }
  void release(const std::string& command) {
    environment["DATA_DIR"] = "/data";
    const BuildPlan chosen = plan_build({tree()}, {});
    run_after_build(command, chosen);
  }
  void run_after_build(const std::string& command, const BuildPlan& chosen) {
    auto running = job(chosen);
    running.mounts = mounts;
    run_release_command(command, running);
  }
  std::string build_refusal(const std::string& command) {
    return refusal<UserError>([&] { build(command); });
  }
  // The output of a command inside the sandbox of a build.
  std::string told(const std::string& command) {
    output.clear();
    build(command);
    return output;
  }

  TestTree root;
  Layout layout{root.path()};
  Checkout checkout = layout.checkout(AppName::parse("blog"), 7);
  std::string path;
  std::optional<std::string> build_root;
  Environment environment;  // the settings
  ReleaseMounts mounts;     // of the release that was built
  Milliseconds timeout{60'000};
  int cancel_fd = -1;
  std::string output;
};

TEST_F(RunTest, ABuildWritesItsTreeAndACacheThatSurvives) {
  write("source", "text");
  build("cp source made; echo kept > /cache/note");
  EXPECT_EQ(read_file(tree() / "made"), "text");
  EXPECT_EQ(read_file(layout.build_cache(AppName::parse("blog")) / "note"), "kept\n");
  EXPECT_EQ(told("cat /cache/note"), "kept\n");
}

TEST_F(RunTest, ABuildGetsItsEnvironmentAndNothingElse) {
  environment = {{"APP", "blog"}, {"ODD", "a\nb $HOME 'c'"}};
  setenv("PUSHROD_TEST_SECRET", "leaked", 1);
  const std::string all = told("env -u SHLVL -u _ -0 | sort -z | tr '\\0' '\\n'");
  unsetenv("PUSHROD_TEST_SECRET");
  EXPECT_EQ(all,
            "APP=blog\nCARGO_HOME=/cache/cargo\nGOMODCACHE=/cache/go-modules\nHOME=/tmp/home\nLANG=C.UTF-8\nMIX_HOME=/"
            "cache/mix\nODD=a\nb "
            "$HOME 'c'\nPATH=/usr/local/bin:/usr/bin:/bin\n"
            "PIP_CACHE_DIR=/cache/pip\nPWD=/app\nXDG_CACHE_HOME=/cache\nXDG_CONFIG_HOME=/tmp/home/.config\n"
            "XDG_DATA_HOME=/tmp/home/.local/share\nXDG_RUNTIME_DIR=/tmp/runtime\n"
            "XDG_STATE_HOME=/tmp/home/.local/state\nnpm_config_cache=/cache/npm\n");
}

TEST_F(RunTest, TheHomeAndTheRuntimeDirectoryAreThereEmptyAndPrivate) {
  EXPECT_EQ(told("stat -c '%n %a' $HOME $XDG_RUNTIME_DIR; ls -A $HOME; touch $HOME/x"),
            "/tmp/home 700\n/tmp/runtime 700\n");
  environment["HOME"] = "/tmp/a/b/c/";
  EXPECT_EQ(told("cd && pwd"), "/tmp/a/b/c\n");
  environment["HOME"] = "/usr/share/none";
  EXPECT_EQ(told("ls -d $HOME 2>/dev/null || echo none"), "none\n") << "what cannot be made is left to the command";
}

TEST_F(RunTest, ABuildSeesNothingOfTheRoot) {
  write("pushrod.toml", "");
  root.write("pushrod.db", "secret");
  EXPECT_TRUE(build_refusal("cat " + layout.database().string()).starts_with("the build failed with exit code 1 |"));
}

TEST_F(RunTest, AFailingCommandEndsTheBuildAndItsLastLinesAreTold) {
  try {
    build("for i in $(seq 60); do echo line $i; done; echo oops >&2\n(exit 3)\necho not reached");
    FAIL() << "the build did not fail";
  } catch (const UserError& error) {
    EXPECT_EQ(error.message(), "the build failed with exit code 3");
    ASSERT_EQ(error.evidence().size(), 41U);
    EXPECT_EQ(error.evidence().front(), "… 21 lines left out …");
    EXPECT_EQ(error.evidence()[1], "line 22");
    EXPECT_EQ(error.evidence().back(), "oops");
  }
  EXPECT_TRUE(output.starts_with("line 1\n"));
  EXPECT_TRUE(output.ends_with("oops\n"));
}

TEST_F(RunTest, OutputAndErrorsKeepTheirOrder) {
  std::string expected;
  for (int line = 1; line <= 200; ++line) expected += fmt::format("{}\n", line);
  EXPECT_EQ(told("for i in $(seq 1 2 200); do echo $i; echo $((i + 1)) >&2; done"), expected);
}

TEST_F(RunTest, EvidenceCannotSteerATerminal) {
  try {
    build("printf 'a\\033]52;c;eA==\\007b\\n'; exit 1");
    FAIL();
  } catch (const UserError& error) {
    EXPECT_EQ(error.evidence().back().find_first_of("\x1b\x07"), std::string::npos);
  }
}

TEST_F(RunTest, AMissingProgramIsNamed) {
  EXPECT_EQ(build_refusal("no-such-program"),
            "the build failed with exit code 127 | \"no-such-program\" was not found: correct its name, or have the "
            "administrator install it");
  EXPECT_NE(output.find("no-such-program"), std::string::npos);
}

TEST_F(RunTest, ABuildIsStoppedAtItsTimeLimitWithAllItStarted) {
  timeout = Milliseconds{300};
  const std::string mark = fmt::format("86{}", getpid());  // seconds: what the process list shows it by
  EXPECT_EQ(build_refusal(fmt::format("setsid sleep {0} & sleep {0}", mark)),
            "the build was stopped after 0.30 s | make it quicker, or have the administrator raise [limits] "
            "build_timeout in server.toml");
  expect_gone("sleep " + mark);
}

TEST_F(RunTest, WhatABuildLeavesBehindInTheBackgroundEndsWithIt) {
  const std::string mark = fmt::format("87{}", getpid());
  build(fmt::format("setsid sleep {} >/dev/null 2>&1 & echo done", mark));
  expect_gone("sleep " + mark);
}

TEST_F(RunTest, ACancelledBuildSaysSo) {
  const Pipe pipe = make_pipe();
  cancel_fd = pipe.read_end.get();
  write_all(pipe.write_end.get(), "x", "cancel");
  EXPECT_EQ(build_refusal("sleep 60"), "the build was cancelled | ");
}

TEST_F(RunTest, AnAppInASubDirectorySeesThatDirectoryOnly) {
  write("inner/file", "inner");
  write("outer", "outer");
  path = "inner";
  EXPECT_EQ(told("ls; ls .. | grep -x outer || true"), "file\n");
}

TEST_F(RunTest, ABuildRootAboveTheAppIsSeenAndTheAppsDirectoryIsTheWorkingDirectory) {
  write("apps/web/file", "inner");
  write("apps/shared/lib", "shared");
  write("outer", "outer");
  path = "apps/web";
  build_root = "apps";
  EXPECT_EQ(told("pwd; ls .. ; cat ../shared/lib; test ! -e ../../outer"), "/app/web\nshared\nweb\nshared");
  release("pwd; cat ../shared/lib");
  EXPECT_TRUE(output.ends_with("/app/web\nshared"));
}

TEST_F(RunTest, ASubDirectoryThatIsASymlinkIsRefused) {
  fs::create_symlink("/etc", tree() / "inner");
  path = "inner";
  EXPECT_TRUE(build_refusal("true").starts_with("the app's path \"inner\" is not a directory in this commit"));
}

TEST_F(RunTest, NothingToBuildRunsNothing) {
  const BuildPlan plan = plan_build({tree()}, {});
  build(plan);
  EXPECT_FALSE(fs::exists(layout.cache()));
}

TEST_F(RunTest, TheScriptRuns) {
  write(".build.sh", "#!/bin/sh\necho built by $0 > made\n", true);
  const BuildPlan plan = plan_build({tree()}, {});
  build(plan);
  EXPECT_EQ(read_file(tree() / "made"), "built by ./.build.sh\n");
}

TEST_F(RunTest, AReleaseCommandReadsTheCodeAndWritesTheData) {
  write("version", "2");
  release("cat version > /data/migrated; echo $DATA_DIR; ls /cache 2>/dev/null || true");
  EXPECT_EQ(output, "/data\n");
  EXPECT_EQ(read_file(layout.data(AppName::parse("blog")) / "migrated"), "2");
  EXPECT_TRUE(refusal<UserError>([&] { release("touch /app/new"); }).starts_with("the release command failed with"));
  timeout = Milliseconds{100};
  EXPECT_EQ(refusal<UserError>([&] { release("sleep 60"); }),
            "the release command was stopped after 0.10 s | make it quicker, or have the administrator raise [limits] "
            "release_timeout in server.toml");
}

// A wheel by hand: a zip of a module and its metadata. Needs no index and no network.
class PythonBuildTest : public RunTest {
 protected:
  void SetUp() override {
    write("tiny/tiny.py", "ANSWER = 42\ndef main():\n    print('the answer is', ANSWER)\n");
    write("tiny/tiny-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: tiny\nVersion: 1.0\n");
    write("tiny/tiny-1.0.dist-info/WHEEL",
          "Wheel-Version: 1.0\nGenerator: hand\nRoot-Is-Purelib: true\nTag: py3-none-any\n");
    write("tiny/tiny-1.0.dist-info/entry_points.txt", "[console_scripts]\ntiny-answer = tiny:main\n");
    write("tiny/tiny-1.0.dist-info/RECORD",
          "tiny.py,,\ntiny-1.0.dist-info/METADATA,,\ntiny-1.0.dist-info/WHEEL,,\n"
          "tiny-1.0.dist-info/entry_points.txt,,\ntiny-1.0.dist-info/RECORD,,\n");
    Command zip;
    zip.argv = {"/usr/bin/python3",  "-m", "zipfile", "-c", "../tiny-1.0-py3-none-any.whl", "tiny.py",
                "tiny-1.0.dist-info"};
    zip.directory = tree() / "tiny";
    run_checked(zip);
  }
};

TEST_F(PythonBuildTest, RequirementsAreInstalledIntoTheVirtualenvThatProcessesUse) {
  write("requirements.txt", "--no-index\n--find-links .\ntiny==1.0\n");
  const BuildPlan plan = plan_build({tree()}, {});
  build(plan);
  output.clear();
  run_after_build("tiny-answer; python3 -c 'import tiny; print(tiny.__file__.split(\"/lib\")[0])'", plan);
  EXPECT_EQ(output, "the answer is 42\n/venv\n");
}

TEST_F(PythonBuildTest, ARequirementThatCannotBeHadFailsTheBuild) {
  write("requirements.txt", "--no-index\nno-such-package\n");
  EXPECT_TRUE(refusal<UserError>([&] {
                const BuildPlan plan = plan_build({tree()}, {});
                build(plan);
              }).starts_with("the build failed with exit code 1 | pip found no package for \"no-such-package\""));
  EXPECT_NE(output.find("no-such-package"), std::string::npos);
}

TEST_F(PythonBuildTest, AScriptMayMakeItsOwnVirtualenv) {
  write("requirements.txt", "--no-index\n--find-links .\ntiny==1.0\n");
  write(".build.sh", "#!/bin/sh\npython3 -m venv --without-pip /venv && python3 -c 'import sys; print(sys.prefix)'\n",
        true);
  const BuildPlan plan = plan_build({tree()}, {});
  build(plan);
  EXPECT_EQ(output, "/venv\n");
}

TEST_F(RunTest, NodeDependenciesAreInstalledFromTheLockFileAndTheBuildScriptRuns) {
  write("left/package.json", R"({"name": "left", "version": "1.0.0", "main": "index.js"})");
  write("left/index.js", "module.exports = 'left';\n");
  write("package.json", R"({"name": "app", "version": "1.0.0", "dependencies": {"left": "file:left"},)"
                        R"( "scripts": {"build": "node -p \"require('left')\" > made"}})");
  write("package-lock.json",
        R"({"name": "app", "version": "1.0.0", "lockfileVersion": 3, "requires": true, "packages": {)"
        R"("": {"name": "app", "version": "1.0.0", "dependencies": {"left": "file:left"}},)"
        R"("left": {"version": "1.0.0"}, "node_modules/left": {"resolved": "left", "link": true}}})");
  const BuildPlan plan = plan_build({tree()}, {});
  build(plan);
  EXPECT_EQ(read_file(tree() / "made"), "left\n");
}

TEST_F(RunTest, NpmStartWorksOnReadOnlyCode) {
  write("package.json", R"({"scripts": {"start": "node -p process.env.NODE_ENV"}})");
  const BuildPlan plan = plan_build({tree()}, {});
  build(plan);
  run_after_build(choose_processes(plan, {}).at(0).command, plan);
  EXPECT_TRUE(output.ends_with("production\n")) << output;
  EXPECT_EQ(output.find("EROFS"), std::string::npos) << output;
}

}  // namespace
}  // namespace pushrod
