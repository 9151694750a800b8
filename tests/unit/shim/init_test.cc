// init, pid 1 of an instance's sandbox: how signals and ends reach what runs inside.
#include "fixtures.hh"

namespace pushrod {
namespace {

using Init = ServiceDirectory;

TEST_F(Init, GivesASignalToEveryProcessInside) {
  write_instance_spec(
      "trap : USR1; (trap 'echo first; exit' USR1; echo up; while :; do sleep 0.02; done) & "
      "(trap 'echo second; exit' USR1; echo up; while :; do sleep 0.02; done) & wait; wait; wait");
  RunningKeeper keeper(shim());
  ASSERT_TRUE(keeper.prints("up\nup\n"));
  keeper.send(SIGUSR1);
  const auto printed = keeper.all();
  EXPECT_THAT(printed, testing::HasSubstr("first\n"));
  EXPECT_THAT(printed, testing::HasSubstr("second\n"));
  EXPECT_EQ(keeper.end(), "exit code 0");
}

TEST_F(Init, EndsWhatTheAppLeavesBehind) {
  write_instance_spec(
      "trap 'exit 4' USR1; (trap 'echo ended; exit' TERM; kill -USR1 $$; while :; do sleep 0.02; done) & "
      "while :; do sleep 0.02; done");
  const auto result = run(shim());
  EXPECT_THAT(result.out, testing::EndsWith("ended\n"));
  EXPECT_EQ(result.describe(), "exit code 4");
}

TEST_F(Init, WaitsForProcessesThatOutliveTheFirstOneWhileItIsStopped) {
  write_instance_spec(
      "(trap 'sleep 0.2; echo last; exit' TERM; echo up; while :; do sleep 0.02; done) & "
      "exec sleep 1000");
  RunningKeeper keeper(shim());
  ASSERT_TRUE(keeper.prints("up\n"));
  keeper.send(SIGTERM);
  EXPECT_THAT(keeper.all(), testing::EndsWith("last\n"));
  EXPECT_EQ(keeper.end(), "killed by SIGTERM");
}

TEST_F(Init, CannotBeTracedByTheApp) {
  write_instance_spec("cat /proc/1/environ 2>&1; ls /proc/1/fd 2>&1; ls /proc/self/fd");
  const auto out = run(shim()).out;
  EXPECT_THAT(out, testing::HasSubstr("/proc/1/environ: Permission denied"));
  EXPECT_THAT(out, testing::HasSubstr("'/proc/1/fd': Permission denied"));
  EXPECT_TRUE(out.ends_with("\n0\n1\n2\n3\n")) << out;  // 3 is that of ls itself
}

TEST_F(Init, GivesTheAppItsVariablesAndNoOthers) {
  write_instance_spec("env", {"env=+GREETING=Hi", "env=LD_PRELOAD="});
  const auto out = run(shim()).out;
  EXPECT_THAT(out, testing::HasSubstr("GREETING=Hi\n"));
  EXPECT_THAT(out, testing::Not(testing::HasSubstr("LD_PRELOAD")));
}

}  // namespace
}  // namespace pushrod
