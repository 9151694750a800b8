// What doctor says of the walls on which kernel; and the walls themselves, as the shim raises them around a command.
#include "sandbox/walls.hh"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>

#include "base/text.hh"
#include "os/command.hh"
#include "os/files.hh"

namespace pushrod {
namespace {

using testing::HasSubstr;

TEST(Walls, AllStandWithLandlock6) {
  for (const Wall& wall : walls_of(6, true)) EXPECT_TRUE(wall.stands) << wall.name;
}

TEST(Walls, OfAbstractSocketsNeedLandlock6) {
  const auto walls = walls_of(4, true);
  ASSERT_EQ(walls.size(), 3U);
  EXPECT_TRUE(walls[1].stands);
  EXPECT_FALSE(walls[2].stands);
  EXPECT_EQ(walls[2].found, "Landlock 4, too old: 6 is needed");
  EXPECT_THAT(walls[2].remedy, HasSubstr("Linux 6.12"));
}

TEST(Walls, OfPortsNeedLandlock4) {
  const auto walls = walls_of(2, true);  // Debian 12
  EXPECT_TRUE(walls[0].stands);
  EXPECT_FALSE(walls[1].stands);
  EXPECT_FALSE(walls[2].stands);
  EXPECT_THAT(walls[1].remedy, HasSubstr("Linux 6.7"));
  EXPECT_THAT(walls[1].lost, HasSubstr("that of one that restarts"));
}

TEST(Walls, ThatAreSwitchedOffAreToldFromThoseThatAreNotThere) {
  EXPECT_EQ(walls_of(-EOPNOTSUPP, true)[1].found, "Landlock is switched off");
  EXPECT_THAT(walls_of(-EOPNOTSUPP, true)[1].remedy, HasSubstr("lsm=landlock"));
  EXPECT_EQ(walls_of(-ENOSYS, true)[1].found, "the kernel has no Landlock");
}

TEST(Walls, OfSystemCallsNeedSeccomp) { EXPECT_FALSE(walls_of(7, false)[0].stands); }

// The shim's role `run`, without bwrap around it.
CommandResult run_walled(const std::vector<std::string>& words) {
  Command command;
  command.argv = {(own_program().parent_path() / "pushrod-shim").native(), "run"};
  command.argv.insert(command.argv.end(), words.begin(), words.end());
  command.environment = {{"+PATH", "/usr/bin:/bin"}};
  return run(command);
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

TEST(ShimWalls, AreThereForWhateverIsStartedInside) {
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
