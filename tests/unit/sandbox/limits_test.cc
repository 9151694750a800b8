// Which limit is enforced by what.
#include "sandbox/limits.hh"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/text.hh"
#include "model/descriptors.hh"

namespace pushrod {
namespace {

Sandbox limited() {
  Sandbox sandbox;
  sandbox.limits = {256U << 20, 50, 64, 1024};
  sandbox.oom_score = 500;
  return sandbox;
}

TEST(Limits, AreTheProcessesOwnWithoutACgroup) {
  EXPECT_EQ(join(wall_words(limited(), {true}), " "), "memory=268435456 processes=65 open_files=1024 oom_score=500");
}

TEST(Limits, OfMemoryAreTheCgroupsWhereThereIsOne) {
  Sandbox sandbox = limited();
  sandbox.cgroup = "/sys/fs/cgroup/pushrod/app.blog.1.web.1";
  EXPECT_EQ(join(wall_words(sandbox, {true}), " "), "processes=65 open_files=1024 oom_score=500");
}

TEST(Limits, OfProcessesAreLeftOutWhereTheyWouldCountThoseOfOthers) {
  EXPECT_EQ(join(wall_words(limited(), {false}), " "), "memory=268435456 open_files=1024 oom_score=500");
  EXPECT_FALSE(rlimits_of("5.10.0-33-amd64").count_processes_per_sandbox);
  EXPECT_FALSE(rlimits_of("4.19").count_processes_per_sandbox);
  EXPECT_TRUE(rlimits_of("5.14-rc1").count_processes_per_sandbox);
  EXPECT_TRUE(rlimits_of("6.1.0-28-amd64").count_processes_per_sandbox);
  EXPECT_TRUE(rlimits_of("10.0").count_processes_per_sandbox);
}

TEST(Limits, ThatAreAbsentAreNoWordsButForDescriptors) {
  EXPECT_EQ(wall_words(Sandbox{}, {true}), std::vector<std::string>{"open_files=12288"});
}

TEST(Limits, OfDescriptorsStayBelowThoseOfTheRouter) {
  Sandbox sandbox;
  sandbox.limits.open_files = 1'000'000;
  EXPECT_EQ(wall_words(sandbox, {true}), std::vector<std::string>{"open_files=12288"});
  EXPECT_LT(kMostAppDescriptors + 8 * 253, kRouterDescriptors);
  EXPECT_EQ(most_app_descriptors(4096), 3072U);
  EXPECT_EQ(most_app_descriptors(1 << 20), kMostAppDescriptors);
}

TEST(Limits, TheTighterOneCounts) {
  const Limits app{256U << 20, {}, 5000, {}}, operators{512U << 20, 100, 1024, {}};
  EXPECT_EQ(tighter(app, operators), (Limits{256U << 20, 100, 1024, {}}));
  EXPECT_EQ(tighter(operators, app), tighter(app, operators));
  EXPECT_EQ(tighter({}, {}), Limits{});
}

TEST(Limits, ThatCannotBeEnforcedAreReported) {
  EXPECT_EQ(shortcomings({1, 50, 64, 1024}, {true}),
            (std::vector<std::string>{"cpu is not limited", "memory is limited per process, not per instance"}));
  EXPECT_EQ(shortcomings({{}, {}, 64, 1024}, {true}), std::vector<std::string>{});
  EXPECT_EQ(shortcomings({{}, {}, 64, {}}, {false}), std::vector<std::string>{"processes are not limited"});
}

TEST(Limits, ThatExceedTheHardOnesAreReported) {
  const Limits wanted{1U << 30, 50, 5000, 1'000'000};
  EXPECT_EQ(beyond(wanted, {}, false),
            std::vector<std::string>{"open_files is 12288 instead of 1000000 (the most that an app may have)"});
  EXPECT_TRUE(beyond({1U << 30, 50, 5000, 12'288}, {}, false).empty());
  EXPECT_TRUE(beyond({}, {1, 1, 1}, false).empty());
  EXPECT_TRUE(beyond({1U << 30, 50, 5000, 3'072}, {1U << 30, 5000, 4096}, false).empty());
  const auto found = beyond(wanted, {1024, 100, 4096}, false);
  ASSERT_EQ(found.size(), 3U);
  EXPECT_EQ(found[0].substr(0, found[0].find(" (")), "memory is 1024 instead of 1073741824");
  EXPECT_EQ(found[2],
            "open_files is 3072 instead of 1000000 (three quarters of LimitNOFILE= of Pushrod's service, or of ulimit "
            "-Hn)");
  EXPECT_EQ(beyond(wanted, {1024, 100, 4096}, true).size(), 2U) << "the cgroup limits memory";
}

TEST(Limits, AreReadFromAProcess) {
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &before), 0);
  EXPECT_EQ(hard_limits_of(0).open_files, before.rlim_max);
  EXPECT_EQ(hard_limits_of(getpid()).open_files, before.rlim_max);
}

TEST(Limits, OfMemoryHoldForFilesInMemoryToo) {
  EXPECT_EQ(tmpfs_bytes(1U << 30, {}), 1U << 30);
  EXPECT_EQ(tmpfs_bytes(1U << 30, {64U << 20, {}, {}, {}}), 64U << 20);
  EXPECT_EQ(tmpfs_bytes(1U << 20, {64U << 20, {}, {}, {}}), 1U << 20);
}

}  // namespace
}  // namespace pushrod
