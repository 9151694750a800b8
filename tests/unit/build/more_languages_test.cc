// Java, Elixir, buildpacks, and what a commit names and does not have.
#include "builder_fixture.hh"

namespace pushrod {
namespace {

class MoreLanguagesTest : public BuilderTest {
 protected:
  MoreLanguagesTest() {
    for (const char* program : {"javac", "mvn", "mix", "git"}) programs.write(program, "", true);
  }
};

TEST_F(MoreLanguagesTest, GradleMakesAJarOrWhatItsApplicationPluginInstalls) {
  tree.write("build.gradle", "plugins {\n  id 'java'\n}\n");
  EXPECT_NE(refusal<Error>([&] { plan(); }).find("apt-get install gradle"), std::string::npos);
  programs.write("gradle", "", true);
  EXPECT_EQ(plan().description, "Java, build.gradle, gradle assemble");
  EXPECT_TRUE(plan().guessed_web->command.ends_with("-jar /app/app.jar"));
  tree.write("build.gradle", "plugins {\n  id 'application'\n}\n");
  tree.write("gradlew", "");
  tree.write("gradle/wrapper/gradle-wrapper.jar", "");
  EXPECT_EQ(plan().description, "Java, build.gradle, gradlew installDist");
  EXPECT_EQ(plan().guessed_web->command, "exec /app/app.start");
}

TEST_F(MoreLanguagesTest, LeiningenMakesOneJar) {
  tree.write("project.clj", "");
  EXPECT_NE(refusal<Error>([&] { plan(); }).find("apt-get install leiningen"), std::string::npos);
  programs.write("lein", "", true);
  EXPECT_EQ(plan().description, "Clojure, project.clj, lein uberjar");
  EXPECT_TRUE(plan().guessed_web->command.ends_with("-jar /app/app.jar"));
}

TEST_F(MoreLanguagesTest, JavaIsPackagedAndItsJarRun) {
  tree.write("pom.xml", "<project/>");
  const auto java = plan();
  EXPECT_EQ(java.builder, "java");
  EXPECT_EQ(java.description, "Java, pom.xml, mvn package");
  EXPECT_TRUE(script(java).starts_with("mvn -B -ntp -DskipTests -Dmaven.repo.local=/cache/maven package\n"))
      << script(java);
  ASSERT_TRUE(java.guessed_web);
  EXPECT_NE(java.guessed_web->command.find("-Dserver.port=$PORT"), std::string::npos);
  tree.write("mvnw", "");
  tree.write(".mvn/wrapper/maven-wrapper.properties", "");
  EXPECT_TRUE(script(plan()).starts_with("sh mvnw -B "));
  std::filesystem::remove(programs.path() / "javac");
  EXPECT_NE(refusal<Error>([&] { plan(); }).find("apt-get install default-jdk-headless"), std::string::npos);
}

TEST_F(MoreLanguagesTest, ElixirIsReleasedAndStarted) {
  tree.write("mix.exs", "  def project do\n    [\n      app: :my_shop,\n");
  const auto elixir = plan();
  EXPECT_EQ(elixir.description, "Elixir, mix.exs, mix release");
  EXPECT_EQ(elixir.environment.at("MIX_ENV"), "prod");
  ASSERT_TRUE(elixir.guessed_web);
  EXPECT_EQ(elixir.guessed_web->command, "exec /app/_build/prod/rel/my_shop/bin/my_shop start");
  EXPECT_EQ(script(elixir).find("mix deps.get"), std::string::npos);
  tree.write("mix.lock", "%{}");
  EXPECT_NE(script(plan()).find("mix deps.get --only prod"), std::string::npos);
}

TEST_F(MoreLanguagesTest, BuildpacksComeFromPushrodTomlOrTheirOwnFile) {
  tree.write("package.json", "{}");
  tree.write("packs/one/bin/detect", "");
  tree.write(".buildpacks", "# Heroku\nhttps://x.example/two.git#0a1b\nheroku/nodejs\n");
  const auto listed = plan();
  EXPECT_EQ(listed.builder, "buildpack");
  EXPECT_EQ(listed.description, "buildpack https://x.example/two.git#0a1b, heroku/nodejs");
  EXPECT_NE(script(listed).find("git -C /tmp/buildpacks/0 checkout --quiet 0a1b"), std::string::npos);
  EXPECT_NE(script(listed).find("https://github.com/heroku/heroku-buildpack-nodejs.git"), std::string::npos);
  EXPECT_EQ(listed.notices.front().find(".buildpacks: heroku/nodejs names no commit"), 0U);
  EXPECT_EQ(listed.default_processes.at(0).command, ". /app/.pushrod/web");

  AppManifest manifest;
  manifest.buildpacks = {"packs/one"};
  EXPECT_NE(script(plan(manifest)).find("cp -a /app/packs/one /tmp/buildpacks/0"), std::string::npos);
  tree.write("Procfile", "web: x\n");
  EXPECT_TRUE(plan(manifest).default_processes.empty());
  for (const auto& [pack, said] :
       {std::pair{"../one", "is not a directory of the app"}, std::pair{"packs/two", "is not a"},
        std::pair{"https://x.example/two.git", "names no commit"}}) {
    manifest.buildpacks = {pack};
    EXPECT_NE(refusal<UserError>([&] { plan(manifest); }).find(said), std::string::npos) << pack;
  }
}

TEST_F(MoreLanguagesTest, PointersOfGitLfsAreRefusedUnlessTheMachineHasIt) {
  const std::string pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:0a\nsize 1\n";
  tree.write("public/logo.png", pointer);
  tree.write("public/photo.jpg", pointer);
  EXPECT_EQ(plan().builder, "none") << "nothing says that LFS is used";
  tree.write(".gitattributes", "*.png filter=lfs diff=lfs merge=lfs -text\n");
  EXPECT_EQ(
      refused(),
      "public/logo.png is a pointer of Git LFS and not the file itself, and so are 1 more | put the files into git: "
      "git lfs migrate export --include='*'");
  programs.write("git-lfs", "", true);
  EXPECT_EQ(plan().builder, "none");
}

}  // namespace
}  // namespace pushrod
