// The daemon's loop: when it looks, and when it ends.
#include "serve/serve.hh"

#include "daemon.hh"
#include "os/process_tree.hh"

namespace pushrod {
namespace {

class Serve : public DaemonTest {
 protected:
  Serve() {
    settings_.ssh_enabled = false;
    deploy_app("[processes]\nweb = \"serve\"\n");
  }
  // Ends when the returned descriptor is closed.
  std::unique_ptr<Daemon> serve_until(UniqueFd& stop) {
    close();
    auto pipe = make_pipe();
    auto daemon = std::make_unique<Daemon>([&] {
      pipe.write_end.reset();
      Watchdog watchdog(layout_, settings_, "/nowhere", [] {});
      View view(layout_, settings_);
      serve(view.platform, watchdog, pipe.read_end.get());
      _exit(0);  // the threads go on
    });
    stop = std::move(pipe.write_end);
    open();
    return daemon;
  }
  bool is_serving() {
    return eventually(
        [&] { return fs::exists(layout_.serve_socket()) && !FileLock::try_acquire(layout_.serve_lock()); });
  }
};

TEST_F(Serve, EndsWhenItIsTold) {
  UniqueFd stop;
  const auto daemon = serve_until(stop);
  ASSERT_TRUE(is_serving());
  stop.reset();
  EXPECT_EQ(daemon->end(), 0);
}

TEST_F(Serve, LooksAtOnceWhenItIsCalled) {
  UniqueFd stop;
  const auto daemon = serve_until(stop);
  ASSERT_TRUE(is_serving());
  engine().lose(instance("blog.1.web.1"));
  EXPECT_TRUE(eventually([&] {
    wake_daemon(platform());
    return is_up("blog.1.web.1");
  }));
}

TEST_F(Serve, RefusesASecondDaemon) {
  const auto lock = FileLock::try_acquire(layout_.serve_lock());
  UniqueFd stop;
  EXPECT_EQ(serve_until(stop)->end(), 2);
}

TEST_F(Serve, EndsWithItsWatchdog) {
  UniqueFd stop;
  const auto daemon = serve_until(stop);
  ASSERT_TRUE(is_serving());
  const auto children = children_of(daemon->pid());
  ASSERT_EQ(children.size(), 1U);
  kill(children.front(), SIGKILL);
  EXPECT_EQ(daemon->end(), 1);
}

}  // namespace
}  // namespace pushrod
