// The watchdog and the daemon that it watches: which of the two ends with the other.
#include "serve/watchdog.hh"

#include "daemon.hh"
#include "os/process_tree.hh"

namespace pushrod {
namespace {

class WatchedDaemon : public DeployTest {
 protected:
  WatchedDaemon() {
    settings_.ssh_enabled = false;
    close();
    daemon_ = std::make_unique<Daemon>([&] {
      const Watchdog watchdog(layout_, settings_, "/nowhere", [] {});
      pollfd end{watchdog.end_fd(), POLLIN, 0};
      poll(&end, 1, -1);
    });
    EXPECT_TRUE(eventually([&] { return children_of(daemon_->pid()).size() == 1; }));
    watchdog_ = children_of(daemon_->pid()).front();
  }
  std::unique_ptr<Daemon> daemon_;
  pid_t watchdog_ = -1;
};

TEST_F(WatchedDaemon, LearnsThatItsWatchdogHasEnded) {
  kill(watchdog_, SIGKILL);
  EXPECT_EQ(daemon_->end(), 0);
}

TEST_F(WatchedDaemon, TakesItsWatchdogAlong) {
  const auto watchdog = pidfd_of(watchdog_);
  kill(daemon_->pid(), SIGKILL);
  EXPECT_TRUE(has_ended(watchdog));
}

TEST_F(WatchedDaemon, IsKilledWhenItIsStopped) {
  kill(daemon_->pid(), SIGSTOP);
  EXPECT_EQ(daemon_->end(), -SIGKILL);
}

}  // namespace
}  // namespace pushrod
