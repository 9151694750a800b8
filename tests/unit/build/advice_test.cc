// What a push tells of a tree: near misses of names, languages without a builder, likely mistakes.
#include "build/advice.hh"

#include <string>
#include <vector>

#include "base/text.hh"
#include "test_tree.hh"

namespace pushrod {
namespace {

namespace fs = std::filesystem;

class AdviceTest : public testing::Test {
 protected:
  AdviceTest() {
    for (const char* program : {"python3", "node", "npm"}) programs.write(program, "", true);
    host.program_directories = {programs.path()};
    runs.processes.push_back(Process{.type = ProcessType::parse("web"), .command = "./server", .health = {}});
  }
  std::string told(const AppManifest& manifest = {}) {
    return join(plan_build_on({tree.path()}, manifest, host).notices, "\n");
  }
  std::string example() { return plan_build_on({tree.path()}, {}, host).usual_command; }
  std::string remedy() { return plan_build_on({tree.path()}, {}, host).remedy; }

  TestTree tree;
  TestTree programs;
  Host host;
  AppManifest runs;  // it says what to run
};

TEST_F(AdviceTest, AnOrdinaryTreeIsToldNothing) {
  EXPECT_EQ(told(), "");
  for (const char* name : {"Procfile", "pushrod.toml", "requirements.txt", ".python-version", ".npmrc", ".gitignore",
                           "README.md", "requirements-dev.txt", "profile", "Procfile.dev", "LICENSE", "tox.ini"}) {
    tree.write(name, "");
  }
  EXPECT_EQ(told(runs), "");
}

TEST_F(AdviceTest, NearMissesOfNamesAreNamed) {
  const std::vector<std::pair<std::string, std::string>> cases{{"procfile", "Procfile"},
                                                               {"ProcFile", "Procfile"},
                                                               {"PROCFILE", "Procfile"},
                                                               {"Procfile.txt", "Procfile"},
                                                               {"procfile.TXT", "Procfile"},
                                                               {"Procfile.dev", "Procfile"},
                                                               {"Procfiles", "Procfile"},
                                                               {"Porcfile", "Procfile"},
                                                               {"pushrod.tml", "pushrod.toml"},
                                                               {"Pushrod.toml", "pushrod.toml"},
                                                               {".pushrod.toml", "pushrod.toml"},
                                                               {"pushrod.toml.txt", "pushrod.toml"},
                                                               {"pushrod.yml", "pushrod.toml"},
                                                               {"requirement.txt", "requirements.txt"},
                                                               {"Requirements.txt", "requirements.txt"},
                                                               {"requirements", "requirements.txt"},
                                                               {"requirements.txt.txt", "requirements.txt"},
                                                               {"package.jsn", "package.json"},
                                                               {"Package.json", "package.json"},
                                                               {"packages.json", "package.json"},
                                                               {"build.sh", ".build.sh"},
                                                               {".build", ".build.sh"},
                                                               {"Runtime.txt", "runtime.txt"},
                                                               {".python_version", ".python-version"}};
  for (const auto& [found, right] : cases) {
    tree.write(found, "");
    EXPECT_EQ(told(), "\"" + found + "\" is there, but the name that Pushrod reads is " + right + ": git mv " + found +
                          " " + right);
    fs::remove(tree.path() / found);
  }
}

TEST_F(AdviceTest, ANearMissBesideTheRightNameIsNone) {
  tree.write("Procfile", "");
  tree.write("procfile", "");
  tree.write("Procfile.txt", "");
  EXPECT_EQ(told(), "");
}

TEST_F(AdviceTest, OnlyWhatIsSurelyMeantCountsWhereTheAppIsBuiltAndRuns) {
  tree.write("Procfile.dev", "");
  tree.write("build.sh", "");
  tree.write("package.json", "{}");
  EXPECT_EQ(told(runs), "");
  tree.write("Requirements.txt", "");
  EXPECT_NE(told(runs).find("git mv Requirements.txt requirements.txt"), std::string::npos);
  runs.build_command = "pip install -r Requirements.txt";
  EXPECT_EQ(told(runs), "") << "a build of its own reads what it wants";
}

TEST_F(AdviceTest, NamesAreQuotedAndDirectoriesDoNotCount) {
  tree.write("procfile.a\nb", "");
  EXPECT_EQ(
      told(),
      R"("procfile.a\nb" is there, but the name that Pushrod reads is Procfile: git mv 'procfile.a\nb' Procfile)");
  fs::remove(tree.path() / "procfile.a\nb");
  fs::create_directory(tree.path() / "requirements");
  EXPECT_EQ(told(), "");
}

TEST_F(AdviceTest, LanguagesWithoutABuilderAreNamedWithACommand) {
  programs.write("clojure", "", true);
  tree.write("deps.edn", "");
  EXPECT_EQ(told(),
            "deps.edn is there; Pushrod has no builder for Clojure yet: [build] command = \"clojure -P\" in "
            "pushrod.toml");
  EXPECT_EQ(example(), "clojure -M -m app");
  EXPECT_EQ(told(runs), told()) << "a Procfile builds nothing";
  fs::remove(programs.path() / "clojure");
  EXPECT_TRUE(
      told().ends_with("clojure is not installed on this machine: its administrator can run apt-get install clojure"))
      << told();
}

TEST_F(AdviceTest, LanguagesWithABuilderTellHowTheyAreRunWhereTheAppBuildsItself) {
  tree.write("Gemfile", "");
  AppManifest own;
  own.build_command = "make";
  const auto plan = plan_build_on({tree.path()}, own, host);
  EXPECT_TRUE(plan.usual_command.starts_with("bundle exec puma")) << plan.usual_command;
  EXPECT_TRUE(plan.notices.empty());
}

TEST_F(AdviceTest, EachLanguageIsKnownByItsFiles) {
  const std::vector<std::pair<std::string, std::string>> cases{
      {"deno.json", "Deno"},     {"Shop.csproj", ".NET"},   {"Shop.sln", ".NET"},       {"shard.yml", "Crystal"},
      {"stack.yaml", "Haskell"}, {"shop.cabal", "Haskell"}, {"Package.swift", "Swift"}, {"pubspec.yaml", "Dart"},
      {"build.sbt", "Scala"},    {"deps.edn", "Clojure"},   {"main.go", "Go"},          {"main.c", "C and C++"},
      {"Makefile", "Makefiles"}, {"cpanfile", "Perl"}};
  for (const auto& [file, language] : cases) {
    tree.write(file, "");
    EXPECT_TRUE(
        told().starts_with(file + " is there; Pushrod has no builder for " + language + " yet: [build] command"))
        << told();
    EXPECT_NE(example(), "");
    AppManifest own;
    own.build_command = "make";
    EXPECT_EQ(told(own), "") << file;
    fs::remove(tree.path() / file);
  }
}

TEST_F(AdviceTest, ALanguageBesideOneWithABuilderIsNamedAsWhatIsLeftOut) {
  tree.write("package.json", "{}");
  tree.write("shard.yml", "");
  tree.write("Makefile", "");
  tree.write("Dockerfile", "");
  EXPECT_TRUE(
      told(runs).starts_with("shard.yml is there; Pushrod has no builder for Crystal yet and builds the Node.js part "
                             "only: [build] command = \"shards"))
      << told(runs);
  EXPECT_EQ(told(runs).find('\n'), std::string::npos) << told(runs);
  EXPECT_TRUE(example().starts_with("bin/app")) << "node server.js would be a guess";
}

TEST_F(AdviceTest, EachLanguageIsNamedOnce) {
  for (const char* name : {"deno.json", "deno.lock", "a.sln", "b.csproj"}) tree.write(name, "");
  EXPECT_EQ(lines_of(told()).size(), 2U) << told();
}

TEST_F(AdviceTest, StaticSitesInOtherDirectoriesAreToldHowTheyAreServed) {
  tree.write("docs/index.html", "");
  EXPECT_EQ(
      told(),
      "docs/index.html is there: to serve a static site, write in pushrod.toml: [processes.web] static = \"docs\"");
  EXPECT_EQ(remedy(), "write in pushrod.toml: [processes.web] static = \"docs\"");
  EXPECT_EQ(told(runs), "");
  tree.write("main.py", "");
  EXPECT_EQ(example(), "python3 main.py");
}

TEST_F(AdviceTest, ImagesAreNamedWhereNothingElseSaysWhatToRun) {
  tree.write("Dockerfile", "FROM scratch\n");
  EXPECT_TRUE(told().starts_with("Dockerfile is there; Pushrod builds no container images")) << told();
  EXPECT_EQ(told(runs), "");
  tree.write("server.py", "");
  tree.write("Dockerfile", "FROM a\nCMD [\"node\"]\nFROM b\nCMD [\"python\", \"serve it.py\", \"--port=80\"]\n");
  EXPECT_EQ(example(), "python 'serve it.py' --port=80");
  tree.write("Dockerfile", "FROM a\nCMD exec python x.py -b :$PORT\n");
  EXPECT_EQ(example(), "exec python x.py -b :$PORT");
  for (const char* other : {"CMD [", "CMD [1]", "CMD a \\\n  b", "CMD", "RUN true"}) {
    tree.write("Dockerfile", "FROM a\n" + std::string(other) + "\n");
    EXPECT_EQ(example(), "python3 server.py") << other;
  }
}

TEST_F(AdviceTest, AppsInSubdirectoriesAreNamedWhereThereIsNothingAtTheTop) {
  tree.write("web client/package.json", "{}");
  tree.write("services/api/go.mod", "");
  tree.write("node_modules/x/package.json", "{}");
  EXPECT_NE(
      told().find("services/api/, and an app is one directory of a repo: create the app with --path services/api"),
      std::string::npos)
      << told();
  EXPECT_NE(told().find("package.json is in web client/, and an app is one directory of a repo: create the app with "
                        "--path 'web client'"),
            std::string::npos)
      << told();
  EXPECT_NE(remedy().find("create the app with --path "), std::string::npos) << remedy();
  tree.write("package.json", "{}");
  EXPECT_EQ(told().find("--path"), std::string::npos);
}

TEST_F(AdviceTest, WhatToolsMakeIsNamedWhenItIsCommitted) {
  tree.write("node_modules/ms/package.json", "{}");
  tree.write("env/pyvenv.cfg", "");
  tree.write("venv/notes.txt", "");
  EXPECT_EQ(
      told(runs),
      "env/ is in the commit: it is a virtualenv, made for another machine: git rm -r --cached env, and add it to "
      ".gitignore\nnode_modules/ is in the commit: it is what npm installs, made for another machine: git rm -r "
      "--cached node_modules, and add it to .gitignore");
}

TEST_F(AdviceTest, FilesOfOtherPlatformsAreNamedWhenTheyWouldChangeSomething) {
  AppManifest manifest;
  manifest.processes = runs.processes;
  EXPECT_EQ(told(manifest), "");
  manifest.ignored = {"addons", "formation.web.size"};
  EXPECT_EQ(told(manifest), "app.json: not used are addons, formation.web.size");
  tree.write("Aptfile", "libvips\n");
  EXPECT_TRUE(told(runs).starts_with("Aptfile is not read")) << told(runs);
}

}  // namespace
}  // namespace pushrod
