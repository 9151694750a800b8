// A process in which the daemon's threads run: they never end by themselves. Used by the tests of serve/ only.
#pragma once

#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>

#include "../deploy/world.hh"
#include "../eventually.hh"
#include "os/unique_fd.hh"

namespace pushrod {

inline UniqueFd pidfd_of(pid_t pid) { return UniqueFd(static_cast<int>(syscall(SYS_pidfd_open, pid, 0))); }
inline bool has_ended(const UniqueFd& pidfd) {
  pollfd event{pidfd.get(), POLLIN, 0};
  return poll(&event, 1, static_cast<int>(kPatience.count())) == 1;
}

// Runs the work in a process of its own, which ends with 0, with 1 after Error, or with 2 after UserError; killed by
// the destructor.
class Daemon {
 public:
  explicit Daemon(const std::function<void()>& work) : pid_(fork()) {
    if (pid_ != 0) return;
    try {
      work();
      _exit(0);
    } catch (const UserError& error) {
      fprintf(stderr, "%s\n", error.what());
      _exit(2);
    } catch (const std::exception& error) {
      fprintf(stderr, "%s\n", error.what());
      _exit(1);
    }
  }
  Daemon(const Daemon&) = delete;
  Daemon& operator=(const Daemon&) = delete;
  ~Daemon() {
    if (pid_ <= 0) return;
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
  }
  pid_t pid() const { return pid_; }
  // Waits for its end: its exit code, or minus the signal that ended it. A daemon that does not end is a failure.
  int end() {
    EXPECT_TRUE(has_ended(pidfd_of(pid_)));
    kill(pid_, SIGKILL);
    return ended(std::exchange(pid_, -1));
  }

 private:
  pid_t pid_;
};

// A deployed app, on a root that a daemon in another process shares.
class DaemonTest : public DeployTest {
 protected:
  // `begin` starts what is tested in the daemon's process, with a platform of its own.
  std::unique_ptr<Daemon> in_daemon(const std::function<void(View&)>& begin) {
    close();  // a database connection does not survive a fork
    auto daemon = std::make_unique<Daemon>([&] {
      View view(layout_, settings_);
      begin(view);
      while (true) pause();
    });
    open();
    return daemon;
  }
  void deploy_app(const std::string& manifest) {
    add_app("blog");
    EXPECT_TRUE(run(push_of(commit({{"pushrod.toml", manifest}}))).outcome.live);
    settle_down();
  }
  bool is_up(const std::string& name) { return engine().states().contains(instance(name)); }
  // What was started as pushrod (program_test.cc), a line each.
  std::string started() const { return read_file(layout_.root() / "started").value_or(""); }
};

}  // namespace pushrod
