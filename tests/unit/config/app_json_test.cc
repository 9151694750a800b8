// What an app.json of Heroku or Dokku adds.
#include "config/app_json.hh"

#include <gmock/gmock.h>

#include "base/text.hh"
#include "config/app_manifest.hh"
#include "fixtures.hh"

namespace pushrod {
namespace {

using testing::ElementsAre;

AppManifest with(const std::string& json, AppManifest manifest = {}) {
  add_app_json(json, manifest);
  return manifest;
}

AppManifest procfile() {
  AppManifest manifest;
  manifest.processes = parse_procfile("web: ./web\nworker: ./work\n", "Procfile");
  return manifest;
}

TEST(AppJson, EnvHasDefaultsRequiredNamesAndSecrets) {
  const auto manifest = with(R"({"env": {
    "LEVEL": "info", "WORKERS": 3, "DEBUG": {"value": "", "required": false}, "TITLE": {"value": "Shop"},
    "API_KEY": {"description": "from the provider"}, "OPTIONAL": {"required": false},
    "SECRET_KEY_BASE": {"generator": "secret"}, "PORT": "5000", "a b": "x"}})");
  EXPECT_EQ(manifest.environment,
            (std::map<std::string, std::string>{{"LEVEL", "info"}, {"TITLE", "Shop"}, {"WORKERS", "3"}}));
  EXPECT_THAT(manifest.required_settings, ElementsAre("API_KEY"));
  EXPECT_THAT(manifest.generated_settings, ElementsAre("SECRET_KEY_BASE"));
  EXPECT_THAT(manifest.ignored, ElementsAre("env.PORT", "env.a b"));
}

TEST(AppJson, FormationCountsProcessesThatAreKnown) {
  auto known = procfile();
  known.processes[1].count = 5;
  const auto manifest = with(R"({"formation": {"web": {"quantity": 2, "size": "Standard-1X"}, "worker": {"quantity": 3},
                                               "clock": {"quantity": 1}, "x": {"quantity": -1}}})",
                             known);
  EXPECT_EQ(manifest.processes[0].count, 2U);
  EXPECT_EQ(manifest.processes[1].count, 5U) << "pushrod.toml goes first";
  EXPECT_THAT(manifest.ignored, ElementsAre("formation.clock", "formation.web.size", "formation.x"));
}

TEST(AppJson, CronJobsAreThoseOfDokku) {
  const char* kJson = R"({"cron": [{"command": "node clean.js", "schedule": "@daily", "concurrency_policy": "allow"},
    {"command": "x", "schedule": "every day"}, {"command": "node clean.js", "schedule": "@daily"}]})";
  const auto manifest = with(kJson);
  ASSERT_EQ(manifest.crons.size(), 1U);
  EXPECT_EQ(manifest.crons[0].name, "node-clean-js");
  EXPECT_EQ(manifest.crons[0].overlap, Cron::Overlap::Allow);
  EXPECT_THAT(manifest.ignored, ElementsAre("cron[1]", "cron[2]"));
  EXPECT_THAT(with(kJson, manifest).crons.size(), 1U);
  EXPECT_EQ(with(kJson, manifest).ignored.back(), "cron, since pushrod.toml has some");
}

TEST(AppJson, ScriptsRunBeforeTheReleaseAndWithTheFirstOne) {
  AppManifest before;
  before.release_command = "./migrate";
  const auto manifest =
      with(R"({"scripts": {"postdeploy": "./seed", "dokku": {"predeploy": "./check", "postdeploy": "x"}}})", before);
  EXPECT_EQ(manifest.release_command, "./check\n./migrate");
  EXPECT_EQ(manifest.first_command, "./seed");
  EXPECT_THAT(manifest.ignored, ElementsAre("scripts.dokku.postdeploy"));
}

TEST(AppJson, AHealthCheckOfWebIsItsPath) {
  const auto manifest = with(R"({"healthchecks": {"web": [{"type": "liveness", "path": "/live"}, {"path": "/up"}],
                                                 "worker": [{"command": ["x"]}]}})",
                             procfile());
  EXPECT_EQ(manifest.processes[0].health.path, "/up");
  EXPECT_THAT(manifest.ignored, ElementsAre("healthchecks.worker"));
}

TEST(AppJson, WhatPushrodDoesNotHaveIsListedAndOtherProgramsFilesAreLeftAlone) {
  EXPECT_THAT(with(R"({"addons": ["heroku-postgresql"], "buildpacks": [], "stack": "heroku-22", "name": "x"})").ignored,
              ElementsAre("addons", "stack"));
  for (const char* text :
       {"{", "[]", "3", "", R"({"expo": {"name": "x"}})", R"({"env": [], "cron": {}, "scripts": 1})"}) {
    EXPECT_TRUE(with(text).ignored.empty()) << text;
  }
}

TEST(AppJson, ItIsReadWithTheProcfile) {
  const ConfigDirectory directory;
  directory.write("Procfile", "web: ./web\n");
  directory.write("app.json", R"({"formation": {"web": {"quantity": 2}}})");
  EXPECT_EQ(load_manifest(directory.path(), "").processes[0].count, 2U);
  directory.write("app.json", "\xff\xfe");
  EXPECT_EQ(load_manifest(directory.path(), "").processes[0].count, 1U);
}

}  // namespace
}  // namespace pushrod
