// Services that start, are looked at, stop and go, under a real s6-svscan.
#include "base/error.hh"
#include "fixtures.hh"

namespace pushrod {
namespace {

class Services : public Tree {
 protected:
  void SetUp() override { start_tree(); }
};

TEST_F(Services, StartWritesLinksAndBringsUp) {
  EXPECT_FALSE(status("a.1.web.1").supervised);
  run(instance("a.1.web.1", "echo hello; exec sleep 1000"));
  const ServiceStatus now = status("a.1.web.1");
  EXPECT_TRUE(now.supervised && now.up && now.wanted_up);
  EXPECT_GT(now.pid, 0);
  EXPECT_EQ(now.deaths, 0U);
  EXPECT_EQ(to_string(now.last_exit), "");
  EXPECT_TRUE(supervisor_.is_linked("a.1.web.1"));
  EXPECT_EQ(supervisor_.services(), std::vector<std::string>{"a.1.web.1"});
  EXPECT_TRUE(eventually([&] { return log("a.1.web.1") == "hello"; })) << log("a.1.web.1");
}

TEST_F(Services, StartAgainChangesNothingAndBringsUpWhatIsDown) {
  run(instance("a", "exec sleep 1000"));
  const pid_t pid = status("a").pid;
  supervisor_.start({"a"}, kPatience);
  EXPECT_EQ(status("a").pid, pid);

  supervisor_.stop("a");
  ASSERT_TRUE(eventually([&] { return !status("a").up; }));
  EXPECT_FALSE(status("a").wanted_up);
  EXPECT_EQ(to_string(status("a").last_exit), "SIGTERM");
  supervisor_.start({"a"}, kPatience);
  EXPECT_TRUE(status("a").up);
}

TEST_F(Services, StartOfSeveralIsOneRescan) {
  std::vector<std::string> names;
  for (int number = 1; number <= 5; ++number) {
    names.push_back("b.1.web." + std::to_string(number));
    supervisor_.write(instance(names.back(), "exec sleep 1000"));
  }
  supervisor_.start(names, kPatience);
  for (const std::string& name : names) EXPECT_TRUE(status(name).up) << name;
}

TEST_F(Services, StartOfOneThatEndsAtOnceReturns) {
  run(instance("a", "exit 3"));
  EXPECT_TRUE(eventually([&] { return status("a").deaths > 0; }));
  EXPECT_EQ(to_string(status("a").last_exit), "exit code 3");
}

TEST_F(Services, EndAsTheirAppDid) {
  run(instance("a", "kill -SEGV $$"));
  EXPECT_TRUE(eventually([&] { return to_string(status("a").last_exit) == "SIGSEGV"; }))
      << to_string(status("a").last_exit);
}

TEST_F(Services, LogTheLastWordsBeforeTheirEndIsSeen) {
  for (int round = 0; round < 5; ++round) {
    const std::string name = "a." + std::to_string(round);
    run(instance(name, "seq 1000; echo out; echo err >&2; exit 1"));
    ASSERT_TRUE(eventually([&] { return status(name).deaths > 0; }));
    EXPECT_TRUE(eventually([&] { return log(name).ends_with("out\nerr"); }, Milliseconds{500})) << log(name);
    supervisor_.stop(name);
  }
}

TEST_F(Services, KillEndsAtOnceAndForGood) {
  run(instance("a", "trap '' TERM; echo 1 >> $SHARED/up; while :; do sleep 0.01; done"));
  ASSERT_TRUE(appears("up", "1"));
  supervisor_.kill("a");
  ASSERT_TRUE(eventually([&] { return !status("a").up; }));
  EXPECT_FALSE(status("a").wanted_up);
  EXPECT_EQ(app_processes(), 0U);
}

TEST_F(Services, RemoveTakesTheDownOnesAndNamesTheOthers) {
  for (const char* name : {"down", "up", "untouched"}) run(instance(name, "exec sleep 1000"));
  supervisor_.stop("down");
  ASSERT_TRUE(eventually([&] { return !status("down").up; }));
  const pid_t untouched = status("untouched").pid;

  EXPECT_EQ(supervisor_.remove({"down", "up", "never-there"}), std::vector<std::string>{"up"});
  EXPECT_EQ(supervisor_.services(), (std::vector<std::string>{"untouched", "up"}));
  EXPECT_FALSE(supervisor_.is_linked("down"));
  EXPECT_FALSE(status("down").supervised);
  EXPECT_EQ(status("untouched").pid, untouched);
  EXPECT_TRUE(status("up").up);

  // The name is free again.
  run(instance("down", "exec sleep 1000"));
  EXPECT_TRUE(status("down").up);
}

TEST_F(Services, WriteRefusesToReplaceOneThatIsLive) {
  run(instance("a", "exec sleep 1000"));
  EXPECT_THROW(supervisor_.write(instance("a", "exec sleep 2000")), Error);
  EXPECT_TRUE(status("a").up);
}

TEST_F(Services, WithoutATreeNothingStarts) {
  kill_tree();
  supervisor_.write(instance("a", "exec sleep 1000"));
  EXPECT_THROW(supervisor_.start({"a"}, kPatience), Error);
  EXPECT_FALSE(supervisor_.is_running());
  EXPECT_EQ(supervisor_.remove({"a"}), std::vector<std::string>{});
}

TEST_F(Services, OfPushrodItselfGetTheirVariablesAndNothingElse) {
  run(program("daemon",
              "env > $SHARED/env; ls /proc/self/fd > $SHARED/fds; umask > $SHARED/umask; echo x >&2; "
              "grep -E '^Cap(Inh|Amb)' /proc/self/status > $SHARED/caps; exec sleep 1000"));
  ASSERT_TRUE(appears("caps", "CapAmb:\t0000000000000000"));
  std::vector<std::string> variables = lines_of(shared("env"));
  std::sort(variables.begin(), variables.end());
  EXPECT_EQ(variables, (std::vector<std::string>{"PATH=/usr/bin:/bin", "PWD=" + layout_.service("daemon").native(),
                                                 "SHARED=" + (layout_.root() / "shared").native()}));
  EXPECT_EQ(shared("fds"), "0\n1\n2\n3\n");
  EXPECT_EQ(shared("umask"), "0077\n");
  EXPECT_TRUE(eventually([&] { return log("daemon") == "x"; })) << "standard error goes to the log";
}

TEST_F(Services, WithASpecThatIsNoneSayWhy) {
  run(service("a", "mode=sandbox\0surprise=1\0"s));
  EXPECT_TRUE(eventually([&] { return to_string(status("a").last_exit) == "exit code 100"; }));
  EXPECT_TRUE(eventually([&] { return log("a").find("does not know") != std::string::npos; })) << log("a");
}

TEST_F(Services, AreSeenAsTheyAre) {
  run(instance("up", "exec sleep 1000"));
  run(instance("exited", "exit 3"));
  run(instance("killed", "kill -KILL $$"));
  run(instance("real-time", "kill -35 $$"));
  run(instance("stopped", "exec sleep 1000"));
  supervisor_.stop("stopped");
  ASSERT_TRUE(eventually([&] { return !status("stopped").up; }));
  for (const char* name : {"exited", "killed", "real-time"}) {
    ASSERT_TRUE(eventually([&] { return status(name).deaths > 0; })) << name;
    supervisor_.stop(name);
    ASSERT_TRUE(eventually([&] { return !status(name).up && !status(name).wanted_up; })) << name;
  }

  EXPECT_TRUE(status("up").up && status("up").wanted_up);
  EXPECT_EQ(kill(status("up").pid, 0), 0);
  EXPECT_EQ(to_string(status("up").last_exit), "");
  EXPECT_EQ(to_string(status("exited").last_exit), "exit code 3");
  EXPECT_EQ(to_string(status("killed").last_exit), "SIGKILL");
  EXPECT_EQ(to_string(status("real-time").last_exit), "signal 35");
  EXPECT_EQ(to_string(status("stopped").last_exit), "SIGTERM");
  EXPECT_EQ(status("stopped").deaths, 1U);
  EXPECT_LT(status("stopped").since, kPatience);
  for (const char* name : {"up", "stopped"}) {
    Command supervised;
    supervised.argv = {"s6-svok", layout_.service(name).native()};
    EXPECT_EQ(pushrod::run(supervised).ok(), supervisor_of(layout_.service(name)).has_value());
  }
}

// `app list` looks at hundreds: what the tools said is good until s6-supervise writes a new status.
TEST_F(Services, AreAskedForAgainOnlyWhenTheyHaveChanged) {
  run(instance("a", "exec sleep 1000"));
  const fs::path kept = layout_.service("a") / "observed";
  ASSERT_TRUE(eventually([&] { return status("a").up && fs::exists(kept); }));
  const std::string pid = std::to_string(status("a").pid);
  std::string content = read_file(kept).value();
  const auto at = content.find(" " + pid + " ");
  ASSERT_NE(at, std::string::npos) << content;
  content.replace(at + 1, pid.size(), "1");
  write_file(kept, content, 0600, false);
  EXPECT_EQ(status("a").pid, 1) << "nothing was asked";

  supervisor_.stop("a");
  EXPECT_TRUE(eventually([&] { return !status("a").up; }));
  EXPECT_EQ(to_string(status("a").last_exit), "SIGTERM");
}

TEST_F(Services, AreNotSeenByWhatTheirSupervisorSaidBeforeItEnded) {
  run(instance("a", "exec sleep 1000"));
  ASSERT_TRUE(status("a").up);
  kill_tree();
  ASSERT_TRUE(eventually([&] { return !status("a").up; }));
  EXPECT_FALSE(status("a").supervised);
  EXPECT_EQ(status("a").pid, 0);
  EXPECT_FALSE(status("a").wanted_up);
}

}  // namespace
}  // namespace pushrod
