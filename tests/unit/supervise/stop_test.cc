// A stop reaches every process of an instance, gives each its time, and ends what does not end.
#include <atomic>
#include <thread>

#include "fixtures.hh"

namespace pushrod {
namespace {

class Stop : public Tree {
 protected:
  void SetUp() override { start_tree(); }

  void stop(const std::string& name) {
    supervisor_.stop(name);
    ASSERT_TRUE(eventually([&] { return !status(name).up; }));
    EXPECT_EQ(app_processes(), 0U);
  }
};

// A process that, on SIGTERM, still has 0.3 s of work to do.
std::string graceful(const std::string& name) {
  return "sh -c 'trap \"sleep 0.3; echo " + name + " >> $SHARED/done; exit 0\" TERM; echo " + name +
         " >> $SHARED/ready; while :; do sleep 0.01; done'";
}

TEST_F(Stop, LetsAProgramBehindAWaitingShellFinish) {
  // No exec: the shell dies of the signal at once, its child does not.
  run(instance("a", graceful("one") + "; echo never >> $SHARED/done"));
  ASSERT_TRUE(appears("ready", "one"));
  stop("a");
  EXPECT_EQ(shared("done"), "one\n");
}

TEST_F(Stop, ReachesEveryJobOfAShell) {
  run(instance("a", graceful("one") + " & " + graceful("two") + " & wait"));
  ASSERT_TRUE(appears("ready", "one") && appears("ready", "two"));
  stop("a");
  EXPECT_NE(shared("done").find("one"), std::string::npos);
  EXPECT_NE(shared("done").find("two"), std::string::npos);
}

TEST_F(Stop, ReachesTheEndOfAChainAndWhatLeftItsSession) {
  run(instance(
      "a", "sh -c \"setsid " + [] {
        std::string text = graceful("deep");
        std::string quoted_text;
        for (const char c : text)
          quoted_text += c == '"' || c == '$' || c == '\\' ? std::string("\\") + c : std::string(1, c);
        return quoted_text;
      }() + " & wait\"; true"));
  ASSERT_TRUE(appears("ready", "deep"));
  stop("a");
  EXPECT_EQ(shared("done"), "deep\n");
}

TEST_F(Stop, SendsASecondSignalToWhatTakesTooLong) {
  auto slow = instance("a",
                       "trap '' TERM; trap 'echo second >> $SHARED/done; exit 0' QUIT; echo up >> $SHARED/ready; "
                       "while :; do sleep 0.01; done");
  slow.spec = std::string("second_stop=3\0second_stop_after=200\0", 36) + slow.spec;
  run(slow);
  ASSERT_TRUE(appears("ready", "up"));
  stop("a");
  EXPECT_EQ(shared("done"), "second\n");
}

TEST_F(Stop, OfWhatIgnoresItIsSigkillAtTheDeadline) {
  Service stubborn =
      instance("a",
               "trap '' TERM; echo up >> $SHARED/ready; (setsid sh -c 'while :; do sleep 0.01; done' &) ; "
               "while :; do sleep 0.01; done");
  stubborn.stop_timeout = Milliseconds{300};
  run(stubborn);
  ASSERT_TRUE(appears("ready", "up"));
  const Stopwatch watch;
  stop("a");
  EXPECT_GE(watch.elapsed(), Milliseconds{290});
  EXPECT_LT(watch.elapsed(), Milliseconds{5'000});
  EXPECT_EQ(to_string(status("a").last_exit), "SIGKILL");
}

TEST_F(Stop, UsesTheServicesOwnSignal) {
  Service service = instance("a",
                             "trap 'echo usr1 >> $SHARED/done; exit 0' USR1; echo up >> $SHARED/ready; "
                             "while :; do sleep 0.01; done");
  service.stop_signal = SIGUSR1;
  run(service);
  ASSERT_TRUE(appears("ready", "up"));
  stop("a");
  EXPECT_EQ(shared("done"), "usr1\n");
  EXPECT_EQ(to_string(status("a").last_exit), "exit code 0");
}

TEST_F(Stop, BeforeTheSandboxStandsIsAStopToo) {
  for (int round = 0; round < 10; ++round) {
    const std::string name = "a." + std::to_string(round);
    run(instance(name, "exec sleep 1000"));  // returns when the shim runs, not the app
    stop(name);
    EXPECT_FALSE(status(name).wanted_up);
  }
}

TEST_F(Stop, PassesOtherSignalsOnAsTheyAre) {
  run(instance("a",
               "trap 'echo hup >> $SHARED/got' HUP; trap 'echo usr2 >> $SHARED/got' USR2; echo up >> $SHARED/ready; "
               "while :; do sleep 0.01; done"));
  ASSERT_TRUE(appears("ready", "up"));
  ::kill(status("a").pid, SIGHUP);
  EXPECT_TRUE(appears("got", "hup"));
  // The sleep that died of SIGHUP was the app's own; the app goes on.
  EXPECT_EQ(status("a").deaths, 0U);
}

TEST_F(Stop, OfTheMainProcessByItselfTakesWhatItLeftBehind) {
  run(instance("a", graceful("left") + " & while [ ! -s $SHARED/ready ]; do sleep 0.01; done; exit 4"));
  ASSERT_TRUE(eventually([&] { return status("a").deaths > 0; }));
  EXPECT_EQ(to_string(status("a").last_exit), "exit code 4");
  EXPECT_EQ(shared("done").substr(0, 5), "left\n");
  supervisor_.stop("a");
}

TEST_F(Stop, AtTheMomentOfTheRemovalIsNoError) {
  std::atomic<unsigned> stops = 0;
  const std::jthread stopping([&](const std::stop_token& end) {
    for (; !end.stop_requested(); ++stops) EXPECT_NO_THROW(supervisor_.stop("a"));
  });
  for (int round = 0; round < 300; ++round) {
    supervisor_.write(instance("a", "exec sleep 1000"));
    EXPECT_TRUE(supervisor_.remove({"a"}).empty());
  }
  EXPECT_GT(stops, 300U);
}

}  // namespace
}  // namespace pushrod
