// Whatever is killed, there are never two live processes of one instance (I5), and none is left over.
#include <sys/wait.h>

#include <atomic>
#include <thread>

#include "base/error.hh"
#include "fixtures.hh"
#include "os/file_lock.hh"
#include "supervise/service_directory.hh"

namespace pushrod {
namespace {

class Faults : public Tree {
 protected:
  void SetUp() override { start_tree(); }

  // Tells when it started, and whether it is not alone. Its child holds the lock too, for as long as it lives.
  Service lonely(const std::string& name) const {
    return instance(name,
                    "exec 9>$SHARED/alone; flock -n 9 || echo TWICE >> $SHARED/starts; echo up >> $SHARED/starts; "
                    "setsid sleep 1000 & exec sleep 1000");
  }
  std::size_t starts() const { return lines_of(shared("starts")).size(); }
  // Its init process: the keeper's only child.
  static pid_t init_of(pid_t keeper) {
    std::ifstream children("/proc/" + std::to_string(keeper) + "/task/" + std::to_string(keeper) + "/children");
    pid_t pid = 0;
    children >> pid;
    return pid;
  }
};

TEST_F(Faults, KilledSupervisorTakesItsInstanceAlong) {
  run(lonely("a"));
  for (std::size_t round = 1; round <= 2; ++round) {
    ASSERT_TRUE(eventually([&] { return starts() == round; }));
    const pid_t supervisor = supervisor_of(layout_.service("a")).value();
    ::kill(supervisor, SIGKILL);
    ASSERT_TRUE(eventually([&] {
      const auto next = supervisor_of(layout_.service("a"));
      return next && *next != supervisor;
    }));
  }
  ASSERT_TRUE(eventually([&] { return starts() == 3; }));
  EXPECT_EQ(shared("starts").find("TWICE"), std::string::npos);
  EXPECT_TRUE(eventually([&] { return app_processes() == 2; }));
}

TEST_F(Faults, WhatTheScannerForgetsIsStarted) {
  run(program("a", "exec sleep 1000"));
  // s6-svscan 2.13 forgets a logger that dies within a second of its start while another one is started.
  run(program("b", "exec sleep 1000"));
  const fs::path first = layout_.service("a") / "log";
  const fs::path second = layout_.service("b") / "log";
  const auto killed = [&](const fs::path& service) {
    const pid_t process = supervisor_of(service).value();
    ::kill(process, SIGKILL);
    return eventually([&] { return supervisor_of(service) != process; });
  };
  ASSERT_TRUE(killed(first));
  ASSERT_TRUE(eventually([&] { return supervisor_of(first).has_value(); }));
  ASSERT_TRUE(killed(first));
  ASSERT_TRUE(killed(second));
  ASSERT_TRUE(eventually([&] { return supervisor_.unsupervised() != std::vector<std::string>{"b"}; }));
  std::this_thread::sleep_for(Milliseconds{1'500});  // an s6-svscan that does not forget has started it by now
  supervisor_.start_forgotten();
  EXPECT_TRUE(eventually([&] { return supervisor_.unsupervised().empty(); }));
  EXPECT_EQ(supervisor_.services(), (std::vector<std::string>{"a", "b"}));
  EXPECT_TRUE(status("a").up && status("b").up);
}

TEST_F(Faults, AServiceThatTheScannerHasNotSeenIsUnsupervised) {
  const auto service = program("a", "echo up >> $SHARED/starts; exec sleep 1000");
  supervisor_.write(service);
  EXPECT_TRUE(supervisor_.unsupervised().empty()) << "it is not in the tree";
  link_to(layout_.scan() / "a", layout_.service("a"));
  EXPECT_EQ(supervisor_.unsupervised(), (std::vector<std::string>{"a"}));
  supervisor_.start_forgotten();
  EXPECT_TRUE(eventually([&] { return starts() == 1 && supervisor_.unsupervised().empty(); }));
  // What a killed call leaves behind is in nobody's way.
  supervisor_.write(program("newcomer", "exec sleep 1000"));
  link_to(layout_.scan() / "newcomer", layout_.service("newcomer"));
  supervisor_.start_forgotten();
  EXPECT_EQ(supervisor_.services(), (std::vector<std::string>{"a"}));
}

TEST_F(Faults, KilledShimTakesItsInstanceAlong) {
  run(lonely("a"));
  for (std::size_t round = 1; round <= 2; ++round) {
    ASSERT_TRUE(eventually([&] { return starts() == round; }));
    ::kill(status("a").pid, SIGKILL);
  }
  ASSERT_TRUE(eventually([&] { return starts() == 3; }));
  EXPECT_EQ(shared("starts").find("TWICE"), std::string::npos);
}

TEST_F(Faults, KilledInitTakesItsInstanceAlong) {
  run(lonely("a"));
  ASSERT_TRUE(eventually([&] { return starts() == 1; }));
  ::kill(init_of(status("a").pid), SIGKILL);
  ASSERT_TRUE(eventually([&] { return starts() == 2; }));
  EXPECT_EQ(shared("starts").find("TWICE"), std::string::npos);
  EXPECT_EQ(to_string(status("a").last_exit), "SIGKILL");
}

TEST_F(Faults, SigtermToEverythingDoesNotKillTheSandboxUnderTheApp) {
  // What systemd's KillMode=control-group does.
  run(instance("a",
               "trap 'sleep 0.3; echo done >> $SHARED/done; exit 0' TERM; echo up >> $SHARED/ready; "
               "while :; do sleep 0.01; done"));
  ASSERT_TRUE(appears("ready", "up"));
  const pid_t shim = status("a").pid;
  const pid_t init = init_of(shim);
  const pid_t supervisor = supervisor_of(layout_.service("a")).value();
  const pid_t logger = status("a/log").pid;
  for (const pid_t pid : {init, logger, shim, supervisor}) ::kill(pid, SIGTERM);
  EXPECT_TRUE(appears("done", "done"));
}

TEST_F(Faults, KilledLoggerIsReplacedAndTheAppGoesOn) {
  run(instance("a", "while :; do echo $((n=n+1)); sleep 0.01; done"));
  ASSERT_TRUE(eventually([&] { return !log("a").empty(); }));
  const pid_t app = status("a").pid;
  const pid_t logger = status("a/log").pid;
  // One that has lived for a second is back at once.
  ASSERT_TRUE(eventually([&] { return status("a/log").since >= Milliseconds{1'000}; }));
  const Stopwatch watch;
  ::kill(logger, SIGKILL);
  ASSERT_TRUE(eventually([&] {
    const ServiceStatus state = status("a/log");
    return state.up && state.pid != logger;
  }));
  EXPECT_LT(watch.elapsed(), Milliseconds{4'000}) << "moments, where nobody else wants the machine";
  const std::string before = log("a");
  EXPECT_TRUE(eventually([&] { return log("a") != before; }));
  EXPECT_EQ(status("a").pid, app);
}

TEST_F(Faults, AServiceIsRemovedThoughItsSupervisorDiedFirst) {
  run(instance("a", "echo last words; exit 0"));
  ASSERT_TRUE(eventually([&] { return log("a").find("last words") != std::string::npos; }));
  supervisor_.kill("a");
  ASSERT_TRUE(eventually([&] { return !status("a").up; }));
  // Before s6-svscan replaces it, which takes a second: it would never end the logger.
  ::kill(supervisor_of(layout_.service("a")).value(), SIGKILL);
  ASSERT_TRUE(eventually([&] { return !supervisor_of(layout_.service("a")); }));
  const auto logger = supervisor_of(layout_.service("a") / "log");
  ASSERT_TRUE(logger);
  ASSERT_TRUE(eventually([&] { return supervisor_.remove({"a"}).empty(); }, Milliseconds{4'000}));
  EXPECT_FALSE(fs::exists(layout_.service("a")));
  EXPECT_FALSE(supervisor_.is_linked("a"));
  EXPECT_TRUE(eventually([&] { return ::kill(*logger, 0) != 0; }));
}

TEST_F(Faults, AServiceIsRemovedThoughItsLoggersSupervisorDiedFirst) {
  run(lonely("a"));
  ASSERT_TRUE(eventually([&] { return starts() == 1; }));
  supervisor_.kill("a");
  ASSERT_TRUE(eventually([&] { return !status("a").up; }));
  ::kill(supervisor_of(layout_.service("a") / "log").value(), SIGKILL);
  EXPECT_TRUE(eventually([&] { return supervisor_.remove({"a"}).empty(); }, Milliseconds{4'000}));
  EXPECT_FALSE(fs::exists(layout_.service("a")));
}

TEST_F(Faults, AServiceIsRemovedWithoutAScanner) {
  run(lonely("a"));
  ASSERT_TRUE(eventually([&] { return starts() == 1; }));
  supervisor_.kill("a");
  ASSERT_TRUE(eventually([&] { return !status("a").up; }));
  kill_scanner();
  ASSERT_TRUE(eventually([&] { return !supervisor_.is_running(); }));
  EXPECT_TRUE(eventually([&] { return supervisor_.remove({"a"}).empty(); }, Milliseconds{4'000}));
  EXPECT_FALSE(fs::exists(layout_.service("a")));
}

TEST_F(Faults, AStoppedServiceStaysDownWhenItsSupervisorIsKilled) {
  run(lonely("a"));
  ASSERT_TRUE(eventually([&] { return starts() == 1; }));
  const pid_t supervisor = supervisor_of(layout_.service("a")).value();
  supervisor_.stop("a");
  ::kill(supervisor, SIGKILL);
  ASSERT_TRUE(eventually([&] {
    const auto next = supervisor_of(layout_.service("a"));
    return next && *next != supervisor && observe_service(layout_.service("a"));
  }));
  EXPECT_FALSE(status("a").wanted_up);
  EXPECT_TRUE(eventually([&] { return !status("a").up; }));
  EXPECT_EQ(starts(), 1U);
  // A start forgets it.
  supervisor_.start({"a"}, kPatience);
  EXPECT_TRUE(eventually([&] { return starts() == 2; }));
}

TEST_F(Faults, AServiceThatLeftTheTreeWithoutItsLoggerCanBeStartedAgain) {
  run(lonely("a"));
  ASSERT_TRUE(eventually([&] { return starts() == 1; }));
  remove_file(layout_.scan() / "a");
  Command rescan;
  rescan.argv = {"s6-svscanctl", "-a", layout_.scan().native()};
  pushrod::run(rescan);
  const pid_t supervisor = supervisor_of(layout_.service("a")).value();
  std::this_thread::sleep_for(Milliseconds{100});  // no event tells that s6-svscan has looked
  ::kill(supervisor, SIGKILL);
  ASSERT_TRUE(eventually([&] { return !supervisor_of(layout_.service("a")) && !status("a").up; }));
  supervisor_.start({"a"}, Milliseconds{5'000});
  EXPECT_TRUE(eventually([&] { return starts() == 2; }));
}

TEST_F(Faults, WritingAServiceAgainEndsTheLoggerOfTheOldOne) {
  run(lonely("a"));
  ASSERT_TRUE(eventually([&] { return starts() == 1; }));
  const pid_t logger = supervisor_of(layout_.service("a") / "log").value();
  remove_file(layout_.scan() / "a");
  ::kill(supervisor_of(layout_.service("a")).value(), SIGKILL);
  ASSERT_TRUE(eventually([&] { return !supervisor_of(layout_.service("a")) && !status("a").up; }));
  ASSERT_EQ(::kill(logger, 0), 0);
  supervisor_.write(lonely("a"));
  EXPECT_TRUE(eventually([&] { return ::kill(logger, 0) != 0; }));
}

TEST_F(Faults, KilledScannerLeavesOrphansThatCanBeEnded) {
  run(lonely("a"));
  run(instance("b",
               "trap 'echo gracefully >> $SHARED/b; exit 0' TERM; echo up >> $SHARED/b; while :; do sleep 0.01; done"));
  ASSERT_TRUE(appears("starts", "up") && appears("b", "up"));
  EXPECT_THROW(supervisor_.end_orphans(kPatience), Error) << "a running tree has none";

  kill_scanner();
  ASSERT_TRUE(eventually([&] { return !supervisor_.is_running(); }));
  EXPECT_TRUE(status("a").up && status("a").supervised);
  EXPECT_EQ(supervisor_.end_orphans(kPatience), 2U);
  EXPECT_EQ(app_processes(), 0U);
  EXPECT_EQ(shared("b"), "up\ngracefully\n");
  for (const char* name : {"a", "a/log", "b", "b/log"}) EXPECT_FALSE(supervisor_of(layout_.service(name))) << name;

  // A new tree takes the same services up.
  start_tree();
  supervisor_.start({"a", "b"}, kPatience);
  EXPECT_TRUE(eventually([&] { return starts() == 2; }));
  EXPECT_EQ(shared("starts").find("TWICE"), std::string::npos);
}

TEST_F(Faults, OrphansThatDoNotEndAreKilledAtTheDeadline) {
  run(instance("a", "trap '' TERM; echo up >> $SHARED/ready; while :; do sleep 0.01; done"));
  ASSERT_TRUE(appears("ready", "up"));
  kill_scanner();
  ASSERT_TRUE(eventually([&] { return !supervisor_.is_running(); }));
  EXPECT_EQ(supervisor_.end_orphans(Milliseconds{100}), 1U);
  EXPECT_EQ(app_processes(), 0U);
  EXPECT_FALSE(is_instance_lock_held(layout_.service("a"))) << "`up` removes the directory with the lock";
}

TEST_F(Faults, WhatLivesOnWithoutItsSupervisorIsWaitedFor) {
  kill_scanner();
  ASSERT_TRUE(eventually([&] { return !supervisor_.is_running(); }));
  make_directory(layout_.service("a"));
  std::optional<FileLock> lock = FileLock::acquire(layout_.service("a") / "lock");
  std::atomic<bool> ended = false;
  std::thread sandbox([&] {
    std::this_thread::sleep_for(Milliseconds{50});
    ended = true;
    lock.reset();
  });
  EXPECT_EQ(supervisor_.end_orphans(kPatience), 0U);
  EXPECT_TRUE(ended);
  sandbox.join();
}

TEST_F(Faults, ACrashLoopIsHeldBackMoreAndMore) {
  run(instance("a", "echo up >> $SHARED/starts; exit 1"));
  ASSERT_TRUE(eventually([&] { return status("a").backing_off > Milliseconds{0}; }));
  EXPECT_GE(status("a").deaths, 2U);
  EXPECT_LE(status("a").backing_off, Milliseconds{1'000});
  ASSERT_TRUE(eventually([&] { return status("a").backing_off > Milliseconds{1'000}; })) << "the next one is longer";
  EXPECT_GE(status("a").deaths, 3U);
  ASSERT_TRUE(eventually([&] { return status("a").backing_off > Milliseconds{3'500}; })) << "and the next";

  // A stop need not wait for it to end, and a start forgets it.
  const Stopwatch watch;
  supervisor_.stop("a");
  ASSERT_TRUE(eventually([&] { return !status("a").up; }));
  EXPECT_LT(watch.elapsed(), Milliseconds{3'000});
  const std::size_t before = starts();
  supervisor_.start({"a"}, kPatience);
  EXPECT_TRUE(eventually([&] { return starts() > before; }, Milliseconds{4'000}));
}

TEST_F(Faults, ALogStaysWithinItsCapAndItsLinesAreSplit) {
  Service loud = instance(
      "a",
      "head -c 3000000 /dev/zero | tr '\\0' x; echo; seq 100000; yes '' | head -n 30000; echo last; exec sleep 1000");
  loud.log_bytes = 1'000'000;
  run(loud);
  ASSERT_TRUE(eventually([&] { return log("a").ends_with("last"); }));
  std::uintmax_t bytes = 0;
  for (const auto& file : fs::directory_iterator(layout_.logs() / "a")) bytes += file.file_size();
  EXPECT_LE(bytes, 1'000'000U);
  EXPECT_GT(bytes, 350'000U) << "the oldest file goes as a whole, and may be as long as a part of a long line";
}

TEST_F(Faults, StoppingTheTreeStopsTheRouterFirst) {
  Service router = program("router",
                           "trap 'sleep 0.3; echo router >> $SHARED/ends; exit 0' USR1; echo router >> $SHARED/ready; "
                           "while :; do sleep 0.01; done");
  router.stop_signal = SIGUSR1;
  run(router);
  run(instance(
      "a", "trap 'echo app >> $SHARED/ends; exit 0' TERM; echo app >> $SHARED/ready; while :; do sleep 0.01; done"));
  ASSERT_TRUE(appears("ready", "router") && appears("ready", "app"));
  supervisor_.stop_tree();
  EXPECT_TRUE(tree_->wait(kPatience)) << "s6-svscan ends when everything has";
  EXPECT_EQ(shared("ends"), "router\napp\n");
  EXPECT_EQ(app_processes(), 0U);
  EXPECT_FALSE(supervisor_.is_running());
}

}  // namespace
}  // namespace pushrod
