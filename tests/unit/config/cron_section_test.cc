// [[cron]] in pushrod.toml: what is read, what is refused and where, and the names of those without one.
#include "config/cron_section.hh"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/app_manifest.hh"
#include "fixtures.hh"

namespace pushrod {
namespace {

using testing::HasSubstr;
using testing::StartsWith;
using namespace std::chrono_literals;

CronTable crons_of(const std::string& text) { return parse_manifest(text, "pushrod.toml").crons; }
std::string problem_of(const std::string& text) {
  return refusal([&] { crons_of(text); });
}

TEST(Crons, AreReadWithAllTheirKeys) {
  const auto crons = crons_of(R"(
    [[cron]]
    schedule = "30 4 * * 1-5"
    command = "python3 clean.py"
    name = "clean"
    overlap = "wait"
    timeout = "2m"
    timezone = "Europe/Berlin"
    [[cron]]
    schedule = "@daily"
    command = "./Backup.sh --all"
  )");
  ASSERT_EQ(crons.size(), 2U);
  EXPECT_EQ(crons[0].name, "backup-sh-all");
  EXPECT_EQ(crons[0].schedule, "@daily");
  EXPECT_EQ(crons[0].command, "./Backup.sh --all");
  EXPECT_EQ(crons[0].overlap, Cron::Overlap::Skip);
  EXPECT_EQ(crons[0].timeout, 1h);
  EXPECT_EQ(crons[0].timezone, "");
  EXPECT_EQ(crons[1].name, "clean");
  EXPECT_EQ(crons[1].schedule, "30 4 * * 1-5");
  EXPECT_EQ(crons[1].overlap, Cron::Overlap::Wait);
  EXPECT_EQ(crons[1].timeout, 2min);
  EXPECT_EQ(crons[1].timezone, "Europe/Berlin");
}

TEST(Crons, AreNoneWithoutTheKey) { EXPECT_TRUE(crons_of("").empty()); }

TEST(Crons, AreRefusedWithFileAndLine) {
  EXPECT_THAT(problem_of("[[cron]]\nschedule = \"61 * * * *\"\ncommand = \"x\"\n"),
              StartsWith("pushrod.toml:2: the minute \"61\" has 61, which is not from 0 to 59"));
  EXPECT_THAT(problem_of("[[cron]]\ncommand = \"x\"\nschedule = \"0 0 31 2 *\"\n"),
              StartsWith("pushrod.toml:3: the schedule \"0 0 31 2 *\" never comes"));
  EXPECT_THAT(problem_of("[[cron]]\nschedule = \"@daily\"\ncommand = \"x\"\ntimezone = \"Mars/Olympus\"\n"),
              StartsWith("pushrod.toml:4: unknown time zone \"Mars/Olympus\""));
  EXPECT_THAT(problem_of("[[cron]]\nschedule = \"@daily\"\ncommand = \"x\"\noverlap = true\n"),
              StartsWith("pushrod.toml:4: \"overlap\" in [[cron]] must be a string in quotes, not true"));
  EXPECT_THAT(problem_of("[[cron]]\nschedule = \"@daily\"\ncommand = \"x\"\noverlap = \"never\"\n"),
              HasSubstr("must be \"skip\", \"wait\" or \"allow\""));
  EXPECT_THAT(problem_of("[[cron]]\nschedule = \"@daily\"\ncommand = \" \"\n"), StartsWith("pushrod.toml:3:"));
  EXPECT_THAT(problem_of("[[cron]]\nschedule = \"@daily\"\ncommand = \"x\"\ntimeout = 0\n"),
              HasSubstr("a time from 1s to 7d"));
  EXPECT_THAT(problem_of("[[cron]]\nschedule = \"@daily\"\ncommand = \"x\"\nname = \"A b\"\n"),
              StartsWith("pushrod.toml:4: process type \"A b\""));
}

TEST(Crons, MissingAndMisspeltKeysAreNamed) {
  EXPECT_EQ(problem_of("[[cron]]\nschedule = \"@daily\"\n"), "pushrod.toml:1: \"command\" in [[cron]] is missing");
  EXPECT_EQ(problem_of("[[cron]]\ncommand = \"x\"\n"), "pushrod.toml:1: \"schedule\" in [[cron]] is missing");
  EXPECT_THAT(problem_of("[[cron]]\nschedul = \"@daily\"\ncommand = \"x\"\n"), HasSubstr("did you mean \"schedule\"?"));
  EXPECT_THAT(problem_of("[cron]\nschedule = \"@daily\"\n"), HasSubstr("tables, each under a line [[cron]]"));
}

TEST(Crons, HaveNamesOfTheirOwn) {
  const std::string twice =
      "[[cron]]\nschedule = \"@daily\"\ncommand = \"x\"\n[[cron]]\nschedule = \"@hourly\"\ncommand = \"x\"\n";
  EXPECT_THAT(problem_of(twice), StartsWith("pushrod.toml:4: two cron jobs have the name \"x\""));
  EXPECT_THAT(problem_of("[processes]\nworker = \"y\"\n[[cron]]\nschedule = \"@daily\"\ncommand = \"worker\"\n"),
              HasSubstr("a cron job has the name of a process type: \"worker\""));
  EXPECT_THAT(problem_of("[[cron]]\nschedule = \"@daily\"\ncommand = \"x\"\nname = \"run\"\n"), HasSubstr("\"run\""));
}

TEST(Crons, WithoutANameAreCalledAfterTheirCommand) {
  EXPECT_EQ(name_for_command("python3 manage.py clearsessions"), "python3-manage-py-clearsession");
  EXPECT_EQ(name_for_command("./bin/Nightly"), "bin-nightly");
  EXPECT_EQ(name_for_command("7z a /data/x"), "job-7z-a-data-x");
  EXPECT_EQ(name_for_command("\"$x\""), "x");
  EXPECT_EQ(name_for_command("_x"), "x");
  EXPECT_EQ(name_for_command("…"), "job");
  for (const char* command : {"a", "0", "-", "A_B", "ä b", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa b"}) {
    EXPECT_NO_THROW(ProcessType::parse(name_for_command(command))) << command;
  }
}

}  // namespace
}  // namespace pushrod
