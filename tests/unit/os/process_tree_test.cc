// Trees of real processes, measured from /proc.
#include "os/process_tree.hh"

#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include "../eventually.hh"
#include "os/command.hh"

namespace pushrod {
namespace {

TEST(ProcessTree, HoldsAllDescendantsAndWhatTheyUsed) {
  Command command;
  // A child that has worked and ended, one that lives, and a grandchild.
  command.argv = {"/bin/sh", "-c",
                  "sh -c 'i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done'; sleep 100 & "
                  "sh -c 'sleep 100 & echo ready; wait' & wait"};
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  auto shell = ChildProcess::start(command, -1, ends[1], -1);
  char ready[6];
  ASSERT_EQ(read(ends[0], ready, sizeof ready), 6);
  close(ends[0]);
  close(ends[1]);

  const auto usage = measure_trees({getpid(), shell.pid(), 0x3fffffff});
  const TreeUsage& ours = usage.at(getpid());
  EXPECT_GE(ours.processes, 4U);
  EXPECT_GT(ours.processor, Milliseconds{20});
  EXPECT_GT(ours.memory, 100'000U);
  EXPECT_LT(ours.memory, std::uint64_t{1} << 30);
  EXPECT_GE(usage.at(shell.pid()).processes, 3U);
  EXPECT_LE(usage.at(shell.pid()).processor, ours.processor) << "the shell itself is not counted";
  EXPECT_EQ(usage.at(0x3fffffff).processes, 0U);
}

TEST(ProcessTree, KnowsAProcessThatWasStopped) {
  Command command;
  command.argv = {"sleep", "100"};
  auto child = ChildProcess::start(command, -1, -1, -1);
  EXPECT_FALSE(is_stopped(child.pid()));
  child.signal(SIGSTOP);
  EXPECT_TRUE(eventually([&] { return is_stopped(child.pid()); }));
  child.signal(SIGCONT);
  EXPECT_TRUE(eventually([&] { return !is_stopped(child.pid()); }));
  EXPECT_FALSE(is_stopped(0x3fffffff));
}

TEST(ProcessTree, ListsTheChildrenOfAProcess) {
  Command command;
  command.argv = {"sleep", "100"};
  const auto child = ChildProcess::start(command, -1, -1, -1);
  EXPECT_EQ(children_of(getpid()), std::vector<pid_t>{child.pid()});
  EXPECT_TRUE(children_of(child.pid()).empty());
  EXPECT_TRUE(children_of(0x3fffffff).empty());
}

}  // namespace
}  // namespace pushrod
