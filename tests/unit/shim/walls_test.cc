// The walls that the shim raises around a command.
#include "shim/walls.hh"

#include <sys/resource.h>

#include "fixtures.hh"
#include "shim/parts.hh"

namespace pushrod {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

CommandResult run_walled(const std::vector<std::string>& words) { return run(run_role(words)); }

TEST(ShimWalls, AreReadUpToTheCommand) {
  const char* given[] = {"port=8080",    "memory=1024", "port=9394", "processes=5", "open_files=6",
                         "oom_score=70", "--",          "serve",     "port=1",      nullptr};
  char** words = const_cast<char**>(given);
  const auto walls = shim::take_walls(words);
  EXPECT_THAT(walls.ports, ElementsAre(8080, 9394, 0, 0, 0, 0, 0, 0, 0));
  EXPECT_EQ(walls.memory, 1024U);
  EXPECT_EQ(walls.processes, 5U);
  EXPECT_EQ(walls.open_files, 6U);
  EXPECT_EQ(walls.oom_score, 70U);
  EXPECT_STREQ(words[0], "serve");
  EXPECT_STREQ(words[1], "port=1");
}

TEST(ShimWalls, HaveAtMostNinePorts) {
  const std::vector<std::string> nine(shim::kMostPorts, "port=1");
  auto words = nine;
  words.insert(words.end(), {"--", "/bin/true"});
  EXPECT_EQ(run_walled(words).code, 0);
  words.insert(words.begin(), "port=1");
  EXPECT_EQ(run_walled(words).code, 100);
}

TEST(ShimWalls, LeaveSomeOpenFilesToPushrod) {
  rlimit ours;
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &ours), 0);
  const auto result = run_walled({"--", "/bin/sh", "-c", "ulimit -Hn"});
  EXPECT_EQ(result.out, fmt::format("{}\n", ours.rlim_max - ours.rlim_max / 4));
}

TEST(ShimWalls, MakeTheKernelChooseTheCommandFirst) {
  EXPECT_EQ(run_walled({"oom_score=321", "--", "/bin/cat", "/proc/self/oom_score_adj"}).out, "321\n");
}

TEST(ShimWalls, LimitWhatTheyAreToldTo) {
  const auto result = run_walled({"memory=268435456", "processes=4096", "open_files=32", "--", "/bin/sh", "-c",
                                  "ulimit -d; ulimit -n; ulimit -Hn; grep 'Max processes' /proc/self/limits"});
  ASSERT_TRUE(result.ok()) << result.err;
  const auto lines = lines_of(result.out);
  ASSERT_EQ(lines.size(), 4U);
  EXPECT_EQ(lines[0], "262144");
  EXPECT_EQ(lines[1], "32");
  EXPECT_EQ(lines[2], "32");
  EXPECT_THAT(lines[3], testing::ContainsRegex("4096 +4096 "));
}

TEST(ShimWalls, HoldForEveryProcessThatIsStartedInside) {
  const auto result = run_walled({"--", "/bin/sh", "-c", "(grep Seccomp_filters /proc/self/status); true"});
  EXPECT_THAT(result.out, testing::ContainsRegex("Seccomp_filters:\t[1-9]")) << result.err;
}

TEST(ShimWalls, AreNotGuessed) {
  for (const auto& words :
       std::vector<std::vector<std::string>>{{"/bin/true"},
                                             {"port=x", "--", "/bin/true"},
                                             {"port=", "--", "/bin/true"},
                                             {"doors=1", "--", "/bin/true"},
                                             {"port=1"},
                                             {"--"},
                                             {"memory=99999999999999999999999", "--", "/bin/true"}}) {
    const auto result = run_walled(words);
    EXPECT_EQ(result.code, 100) << join(words, " ");
    EXPECT_THAT(result.err, HasSubstr("pushrod-shim: "));
  }
}

}  // namespace
}  // namespace pushrod
