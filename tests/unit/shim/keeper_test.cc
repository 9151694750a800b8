// The keeper of an instance: as s6-supervise sees it. With bwrap, because init must be pid 1.
#include "fixtures.hh"

namespace pushrod {
namespace {

using Keeper = ServiceDirectory;

TEST_F(Keeper, EndsAsTheAppDid) {
  write_instance_spec("exit 3");
  EXPECT_EQ(run(shim()).describe(), "exit code 3");
  write_instance_spec("kill -KILL $$");
  EXPECT_EQ(run(shim()).describe(), "killed by SIGKILL");
}

TEST_F(Keeper, WritesBothOutputsToTheLog) {
  write_instance_spec("printf 'one\\0two\\n'; printf three >&2");
  const auto result = run(shim());
  EXPECT_EQ(result.out, "one\xEF\xBF\xBDtwo\nthree\n");
  EXPECT_EQ(result.err, "");
}

TEST_F(Keeper, CountsQuickDeathsInARow) {
  write_instance_spec("exit 1");
  run(shim());
  EXPECT_EQ(backoff(), "1 0\n");
  run(shim());
  EXPECT_EQ(backoff(), "2 0\n");
}

TEST_F(Keeper, HoldsBackAnAppThatKeepsDyingUntilItIsStopped) {
  write_file(root_ / "backoff", "9 0\n");
  write_instance_spec("echo up");
  RunningKeeper keeper(shim());
  EXPECT_TRUE(eventually([&] { return backoff().starts_with("9 ") && backoff() != "9 0\n"; }));
  keeper.send(SIGTERM);
  EXPECT_EQ(keeper.all(), "");
  EXPECT_EQ(keeper.end(), "killed by SIGTERM");
}

TEST_F(Keeper, ForgetsQuickDeathsWhenItIsStopped) {
  write_file(root_ / "backoff", "1 0\n");
  write_instance_spec("echo up; exec sleep 1000");
  RunningKeeper keeper(shim());
  ASSERT_TRUE(keeper.prints("up\n"));
  keeper.send(SIGTERM);
  EXPECT_EQ(keeper.end(), "killed by SIGTERM");
  EXPECT_FALSE(std::filesystem::exists(root_ / "backoff"));
}

TEST_F(Keeper, WaitsForWhatIsLeftOfItsPredecessor) {
  auto predecessor = FileLock::try_acquire(root_ / "lock");
  write_instance_spec("echo up");
  RunningKeeper keeper(shim());
  EXPECT_FALSE(eventually([&] { return kill(keeper.pid(), 0) != 0; }, Milliseconds{100}));
  predecessor.reset();
  EXPECT_TRUE(keeper.prints("up\n"));
}

TEST_F(Keeper, HoldsTheLockUntilNothingOfTheInstanceIsLeft) {
  write_instance_spec("trap '' TERM; echo up; exec sleep 1000");
  RunningKeeper keeper(shim());
  ASSERT_TRUE(keeper.prints("up\n"));
  EXPECT_FALSE(FileLock::try_acquire(root_ / "lock"));
  keeper.send(SIGKILL);
  EXPECT_TRUE(eventually([&] { return FileLock::try_acquire(root_ / "lock").has_value(); }));
}

}  // namespace
}  // namespace pushrod
