// The builders of languages besides Python and Node.js: what each is known by, what it plans, what it needs.
#include <string>

#include "base/error.hh"
#include "base/text.hh"
#include "build/builders.hh"
#include "test_tree.hh"

namespace pushrod {
namespace {

class LanguagesTest : public testing::Test {
 protected:
  LanguagesTest() {
    host.program_directories = {programs.path()};
    host.server_directories = {servers.path()};
    for (const char* program : {"python3", "node", "npm"}) programs.write(program, "", true);
  }
  BuildPlan plan() { return plan_build_on({tree.path()}, manifest, host); }
  std::string missing() {
    return refusal<Error>([&] { plan(); });
  }
  std::string web() { return choose_processes(plan(), manifest).at(0).command; }
  std::string text() { return script(plan()); }
  bool has(const std::string& part) { return text().find(part) != std::string::npos; }

  TestTree tree;
  TestTree programs;
  TestTree servers;
  Host host;
  AppManifest manifest;
};

TEST_F(LanguagesTest, FilesAreServedByNginx) {
  servers.write("nginx", "", true);
  tree.write("dist/index.html", "");
  EXPECT_EQ(plan().builder, "static");
  EXPECT_EQ(plan().description, "static files, dist/index.html, served by nginx");
  EXPECT_EQ(web(), "sh /server/start");
  EXPECT_TRUE(has("ln -sfn '/app/dist' /server/root\n") || has("ln -sfn /app/dist /server/root\n")) << text();
  tree.write("public/index.html", "");
  EXPECT_TRUE(has("/app/public /server/root\n")) << text();
  tree.write("index.html", "");
  EXPECT_TRUE(has("/app /server/root\n")) << text();
  EXPECT_TRUE(has(servers.path().string() + "/nginx -e stderr"));
  EXPECT_TRUE(plan().notices.empty());
}

TEST_F(LanguagesTest, FilesAreNotServedWhereAProgramIs) {
  servers.write("nginx", "", true);
  tree.write("index.html", "");
  tree.write("app.py", "");
  EXPECT_EQ(plan().builder, "none");
  std::filesystem::remove(tree.path() / "app.py");
  tree.write("shard.yml", "");
  EXPECT_EQ(plan().builder, "none");
  std::filesystem::remove(tree.path() / "shard.yml");
  EXPECT_EQ(plan().builder, "static");
  manifest.processes.push_back(Process{.type = ProcessType::parse("web"), .command = "./server", .health = {}});
  EXPECT_EQ(plan().builder, "none") << "it says itself what to run";
}

TEST_F(LanguagesTest, AMissingServerIsNamedWithItsPackage) {
  tree.write("index.html", "");
  EXPECT_TRUE(
      missing().starts_with("nginx, which serves files, is not installed on this machine | its administrator "
                            "can install it: apt-get install nginx-light"))
      << missing();
}

TEST_F(LanguagesTest, WhatVitePutsTogetherIsServedAsFiles) {
  tree.write("package.json", R"({"scripts": {"build": "vite build"}, "devDependencies": {"vite": "5.0.0"}})");
  EXPECT_NE(join(plan().notices, "\n").find("apt-get install nginx-light"), std::string::npos);
  servers.write("nginx", "", true);
  EXPECT_EQ(web(), "sh /server/start");
  EXPECT_LT(text().find("npm run build"), text().find("/app/dist /server/root"));
  tree.write("server.js", "");
  EXPECT_EQ(web(), "node server.js");
  manifest.processes.push_back(Process{.type = ProcessType::parse("web"), .command = "npx serve", .health = {}});
  EXPECT_FALSE(has("/server/root"));
}

TEST_F(LanguagesTest, GoBuildsTheProgramOfTheModule) {
  tree.write("go.mod", "module example.com/team/shop/v2\n\ngo 1.19\n");
  EXPECT_EQ(missing(),
            "go is not installed on this machine | its administrator can install it: apt-get install golang-go");
  programs.write("go", "", true);
  tree.write("main.go", "// Shop.\npackage main\n");
  EXPECT_EQ(plan().builder, "go");
  EXPECT_EQ(text(), "go build -o bin/shop .\n");
  EXPECT_EQ(web(), "bin/shop");
  EXPECT_EQ(cache_variables(plan()), (std::map<std::string, std::string>{{"GOMODCACHE", "/cache/go-modules"}}));
  EXPECT_EQ(plan().build_environment["CGO_ENABLED"], "0");
  programs.write("gcc", "", true);
  EXPECT_FALSE(plan().build_environment.contains("CGO_ENABLED"));
}

TEST_F(LanguagesTest, GoBuildsTheProgramsInCmd) {
  programs.write("go", "", true);
  tree.write("go.mod", "module shop\n");
  tree.write("tool.go", "//go:build ignore\n\npackage main\n");
  tree.write("shop.go", "package shop\n");
  tree.write("cmd/import/main.go", "package main\n");
  EXPECT_EQ(text(), "mkdir -p bin && go build -o bin/ ./cmd/...\n");
  EXPECT_EQ(web(), "bin/import") << "it is the only one";
  tree.write("cmd/export/main.go", "package main\n");
  EXPECT_NE(refusal<UserError>([&] { web(); }).find("web: bin/export"), std::string::npos);
  tree.write("cmd/api/main.go", "package main\n");
  EXPECT_EQ(web(), "bin/api");
  tree.write("cmd/server/main.go", "package main\n");
  EXPECT_EQ(web(), "bin/server");
}

TEST_F(LanguagesTest, GoBuildsTheProgramsOfAWorkspace) {
  programs.write("go", "", true);
  tree.write("go.work", "go 1.19\n\nuse (\n\t./api\n\t./lib // shared\n\t../other\n)\n");
  tree.write("api/go.mod", "module example.com/api\n");
  tree.write("api/main.go", "package main\n");
  tree.write("lib/go.mod", "module example.com/lib\n");
  EXPECT_EQ(text(), "mkdir -p bin && go build -o bin/ ./api/... ./lib/...\n");
  EXPECT_EQ(web(), "bin/api");
}

TEST_F(LanguagesTest, RubyInstallsItsBundleAsALayer) {
  tree.write("Gemfile", "source 'https://rubygems.org'\ngem 'puma'\n");
  EXPECT_TRUE(missing().ends_with("apt-get install ruby")) << missing();
  programs.write("ruby", "", true);
  EXPECT_TRUE(missing().ends_with("apt-get install bundler")) << missing();
  programs.write("bundle", "", true);
  EXPECT_TRUE(plan().layers.empty());
  EXPECT_EQ(text(), "bundle install\n");
  EXPECT_NE(join(plan().notices, "\n").find("there is no Gemfile.lock"), std::string::npos);
  tree.write("Gemfile.lock", "GEM\n  specs:\n    puma (6.0.0)\n");
  ASSERT_EQ(plan().layers.size(), 1U);
  EXPECT_EQ(script(plan().layers[0].steps), "(cd /app && bundle install)\n");
  EXPECT_EQ(plan().environment["RACK_ENV"], "production");
  tree.write("config.ru", "");
  EXPECT_EQ(web(), "bundle exec puma -b tcp://127.0.0.1:$PORT");
  tree.write("bin/rails", "");
  EXPECT_EQ(web(), "bin/rails server -b 127.0.0.1 -p $PORT");
  tree.write("vendor/cache/puma-6.0.0.gem", "");
  EXPECT_TRUE(plan().layers.empty()) << "the gems are the app's own";
}

TEST_F(LanguagesTest, PhpIsServedFromItsDocumentRoot) {
  tree.write("composer.json", "{}");
  tree.write("public/index.php", "<?php");
  EXPECT_TRUE(missing().ends_with("apt-get install php-cli")) << missing();
  programs.write("php", "", true);
  EXPECT_TRUE(missing().ends_with("apt-get install composer")) << missing();
  programs.write("composer", "", true);
  EXPECT_TRUE(missing().ends_with("apt-get install php-fpm")) << missing();
  servers.write("php-fpm8.2", "", true);
  EXPECT_NE(missing().find("apt-get install nginx-light"), std::string::npos) << missing();
  servers.write("nginx", "", true);
  EXPECT_EQ(plan().description, "PHP, composer.json, composer install, served by php-fpm and nginx from public/");
  EXPECT_EQ(web(), "sh /server/start");
  EXPECT_TRUE(has("composer install --no-dev")) << text();
  tree.write("vendor/autoload.php", "");
  EXPECT_FALSE(has("composer install")) << text();
  tree.write("artisan", "");
  EXPECT_EQ(plan().environment["APP_ENV"], "production");
}

TEST_F(LanguagesTest, RustBuildsAndCopiesItsPrograms) {
  tree.write("Cargo.toml", "[dependencies]\nname = \"x\"\n[package]\nname = \"shop\"\nedition = \"2021\"\n");
  EXPECT_TRUE(missing().ends_with("apt-get install cargo")) << missing();
  programs.write("cargo", "", true);
  programs.write("cc", "", true);
  EXPECT_TRUE(has("\ncargo build --release\n")) << text();
  EXPECT_NE(join(plan().notices, "\n").find("there is no Cargo.lock"), std::string::npos);
  tree.write("Cargo.lock", "");
  EXPECT_TRUE(has("\ncargo build --release --locked\n")) << text();
  tree.write("src/main.rs", "");
  EXPECT_EQ(web(), "bin/shop");
}

TEST_F(LanguagesTest, CAndCppAreBuiltByWhatTheAppHas) {
  for (const char* program : {"make", "c++", "cmake", "meson"}) programs.write(program, "", true);
  tree.write("Makefile", "all:\n\tcc -o app main.c\n");
  EXPECT_EQ(plan().builder, "none") << "most languages have Makefiles";
  tree.write("main.c", "");
  EXPECT_EQ(text(), "make all\n");
  tree.write("meson.build", "");
  EXPECT_TRUE(has("meson setup build")) << text();
  tree.write("CMakeLists.txt", "");
  EXPECT_EQ(plan().builder, "c");
  EXPECT_TRUE(has("cmake -B build -DCMAKE_BUILD_TYPE=Release")) << text();
  std::filesystem::remove(programs.path() / "cmake");
  EXPECT_TRUE(missing().ends_with("apt-get install cmake")) << missing();
  tree.write("package.json", "{}");
  EXPECT_EQ(plan().builder, "node") << "it may have a part in C";
}

TEST_F(LanguagesTest, TwoLanguagesThatFitEquallyAreAQuestion) {
  programs.write("go", "", true);
  tree.write("go.mod", "module shop\n");
  tree.write("package.json", "{}");
  EXPECT_NE(refusal<UserError>([&] { plan(); }).find("[\"go\", \"node\"]"), std::string::npos);
}

}  // namespace
}  // namespace pushrod
