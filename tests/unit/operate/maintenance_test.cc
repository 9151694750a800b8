// Maintenance, cron jobs, one-off commands and pruning: who may do what, and what is recorded.
#include "operate/maintenance.hh"

#include "fixtures.hh"
#include "operate/cron_jobs.hh"
#include "operate/jobs.hh"
#include "operate/prune.hh"

namespace pushrod {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

class Operations : public OperateTest {};

TEST_F(Operations, MaintenanceTellsWhatRequestsGet) {
  add_app("blog");
  EXPECT_EQ(maintenance_of(operator_, blog_).meaning, "the app is not deployed");
  EXPECT_TRUE(run(push_of(version(1))).outcome.live);
  EXPECT_EQ(set_maintenance(operator_, blog_, Maintenance::Page, "<p>soon").meaning, "503 and a page of its own (7 B)");
  EXPECT_EQ(last_record(), "maintenance on 503 and a page of its own (7 B): done");
  EXPECT_EQ(to_json(maintenance_of(operator_, blog_)).dump(), R"({"app":"blog","maintenance":"page","page_bytes":7})");
  EXPECT_EQ(set_maintenance(operator_, blog_, Maintenance::Off, "").meaning, "requests are served");
  EXPECT_EQ(last_record(), "maintenance off requests are served: done");
}

TEST_F(Operations, AViewKeySeesMaintenanceAndMayNotChangeIt) {
  live_app("blog");
  auto& viewer = with_key("vera", Role::View);
  EXPECT_EQ(maintenance_of(viewer, blog_).state, Maintenance::Off);
  EXPECT_THAT(refusal([&] { set_maintenance(viewer, blog_, Maintenance::Hold, ""); }), HasSubstr("vera"));
  EXPECT_EQ(app("blog").maintenance, Maintenance::Off);
}

TEST_F(Operations, CronJobsAreListedWithTheirNextRun) {
  live_app("blog", {{"pushrod.toml", "[[cron]]\nname = \"clean\"\nschedule = \"0 3 * * *\"\ncommand = \"tidy\"\n"}});
  const auto jobs = cron_jobs(with_key("vera", Role::View), blog_);
  ASSERT_EQ(jobs.size(), 1U);
  EXPECT_TRUE(jobs.front().next.has_value());
  const auto json = to_json(jobs.front());
  EXPECT_EQ(json["schedule"], "0 3 * * *");
  EXPECT_EQ(json["last"], nullptr);
  EXPECT_TRUE(cron_history(operator_, blog_, 20).empty());
  EXPECT_THAT(refusal([&] { run_cron_job(operator_, blog_, "clear"); }), HasSubstr("it has: clean"));
  EXPECT_THAT(refusal([&] { run_cron_job(with_key("vic", Role::View), blog_, "clean"); }), HasSubstr("vic"));
}

TEST_F(Operations, ACommandNeedsTheRightToDeploy) {
  live_app("blog");
  auto& viewer = with_key("vera", Role::View);
  EXPECT_THAT(refusal([&] { run_detached(viewer, blog_, {"ls"}); }), HasSubstr("vera"));
  EXPECT_THAT(refusal([&] { run_attached(viewer, blog_, {"ls"}, {}); }), HasSubstr("vera"));
  EXPECT_THAT(refusal([&] { end_job(viewer, blog_, "run.1"); }), HasSubstr("vera"));
  EXPECT_EQ(refusal([&] { end_job(operator_, blog_, "run.1"); }),
            "blog has no running job \"run.1\" | it has no running jobs");
}

TEST_F(Operations, TheAuditKeepsOnlyTheProgramOfACommand) {
  EXPECT_EQ(audited_job(operator_, {"blog", "run", "ls"}, [] { return 3; }), 3);
  EXPECT_EQ(last_record(), "run ls: failed: exit code 3");
  add_app("blog");
  EXPECT_NE(refusal([&] { run_detached(operator_, blog_, {"login --password=hunter2"}); }), "(nothing thrown)");
  EXPECT_THAT(last_record(), StartsWith("run login: failed: "));
}

TEST_F(Operations, PruningOneAppNeedsItsAdministratorAndPruningAllOneOfTheMachine) {
  const auto app = live_app("blog");
  auto& own = with_key("ann", Role::Admin, {app.name});
  EXPECT_EQ(to_json(prune(own, blog_))["removed"].dump(), "[]");
  EXPECT_EQ(last_record(), "prune : done");
  EXPECT_THAT(refusal([&] { prune(own, {}); }), HasSubstr("administrators"));
  EXPECT_THAT(refusal([&] { prune(with_key("dora", Role::Deploy), blog_); }), HasSubstr("dora"));
}

}  // namespace
}  // namespace pushrod
