// The router while it runs: servers swapped, reloads, kills; and clients that never stop asking.
#include "router/router.hh"

#include "base/error.hh"
#include "live_router.hh"

namespace pushrod {
namespace {

class LiveRouting : public LiveRouter {
 protected:
  // blog on these servers, with or without a second app.
  RoutingTable table(std::vector<RoutedServer> servers, bool with_more = false) {
    RoutingTable made{{routed("blog", std::move(servers))}};
    if (with_more) made.apps.push_back(routed("more", {}));
    return made;
  }
  RoutedServer server(const AppServer& app, ReleaseNumber release) { return {instance("blog", release), app.port()}; }
  pid_t worker() { return master().processes()->workers.at(0); }
};

// Clients that ask without pause, with and without keep-alive; each answer must be one of an app called blog.
class Clients {
 public:
  Clients(Port port, unsigned with_keep_alive, unsigned without) {
    for (unsigned number = 0; number < with_keep_alive + without; ++number) {
      threads_.emplace_back([this, port, keep = number < with_keep_alive] { ask(port, keep); });
    }
  }
  ~Clients() { stop(); }
  void stop() {
    stopped_ = true;
    for (auto& thread : threads_) thread.join();
    threads_.clear();
  }
  unsigned answered() const { return answered_; }
  std::vector<std::string> failures() {
    const std::lock_guard lock(mutex_);
    return failures_;
  }

 private:
  void ask(Port port, bool keep_alive) {
    constexpr unsigned kMost = 200'000;
    std::optional<Connection> connection;
    for (unsigned number = 0; number < kMost && !stopped_; ++number) {
      if (!connection) connection.emplace(port);
      const auto response = connection->get("blog.localhost", "/", keep_alive ? "" : "Connection: close\r\n");
      if (response.status == 200 && response.body.starts_with("blog")) {
        ++answered_;
      } else {
        const std::lock_guard lock(mutex_);
        failures_.push_back(response.head + response.body);
      }
      const bool closes = response.status == 0 || response.head.find("onnection: close") != std::string::npos;
      if (closes) connection.reset();
    }
  }
  std::atomic<bool> stopped_ = false;
  std::atomic<unsigned> answered_ = 0;
  std::mutex mutex_;
  std::vector<std::string> failures_;
  std::vector<std::thread> threads_;
};

TEST_F(LiveRouting, DoesWhatItsFileSaysFromTheStart) {
  AppServer app("blog");
  const auto wanted = table({server(app, 1)}, true);
  start(wanted);
  EXPECT_TRUE(router_->serves(wanted));
  EXPECT_EQ(router_->observed(),
            (std::map<std::string, std::vector<std::string>>{{"blog", {"blog.1.web.1"}}, {"more", {}}}));
  EXPECT_EQ(router_->requests_in_flight(), (std::map<std::string, unsigned>{{"blog.1.web.1", 0}}));
}

TEST_F(LiveRouting, SwapsServersWithoutAReload) {
  AppServer old_app("blog 1"), new_app("blog 2");
  start(table({server(old_app, 1)}));
  const auto before = worker();
  router_->apply(table({server(new_app, 2)}));
  EXPECT_EQ(worker(), before);
  EXPECT_TRUE(router_->serves(table({server(new_app, 2)})));
  EXPECT_FALSE(router_->serves(table({server(old_app, 1)})));
  for (int number = 0; number < 10; ++number) EXPECT_EQ(get("blog.localhost").body, "blog 2");
  EXPECT_EQ(old_app.requests(), 0u);
  EXPECT_NE(config().find("server blog.2.web.1"), std::string::npos);
  EXPECT_EQ(config().find("server blog.1.web.1"), std::string::npos);
}

TEST_F(LiveRouting, ReloadsWhenNoBackEndIsFree) {
  AppServer app("blog"), last("more");
  auto wanted = table({server(app, 1)});
  start(wanted);
  const auto before = worker();
  for (int number = 1; number <= 30; ++number) {
    const auto name = fmt::format("more{}", number);
    wanted.apps.push_back(routed(name, {{instance(name, 1), last.port()}}));
    router_->apply(wanted);
    EXPECT_EQ(get(name + ".localhost").body, "more");
    if (number == 7) {
      EXPECT_EQ(worker(), before);
    }
  }
  EXPECT_NE(worker(), before);
  EXPECT_TRUE(router_->serves(wanted));
  EXPECT_EQ(get("blog.localhost").body, "blog");
  router_->apply(table({server(app, 1)}));
  EXPECT_EQ(get("more7.localhost").status, 404);
}

TEST_F(LiveRouting, ChangesNothingWhenAllIsAsWanted) {
  AppServer app("blog");
  start(table({server(app, 1)}));
  const auto before = worker();
  const auto written = fs::last_write_time(layout_->router() / "haproxy.cfg");
  router_->apply(table({server(app, 1)}));
  EXPECT_EQ(worker(), before);
  EXPECT_EQ(fs::last_write_time(layout_->router() / "haproxy.cfg"), written);
}

TEST_F(LiveRouting, ShowsThe503PageWhenTheLastServerLeaves) {
  AppServer app("blog");
  start(table({server(app, 1)}));
  router_->apply(table({}));
  EXPECT_EQ(get("blog.localhost").status, 503);
  router_->apply(table({server(app, 1)}));
  EXPECT_EQ(get("blog.localhost").body, "blog");
}

TEST_F(LiveRouting, LetsASlowRequestFinishOnADrainedServer) {
  AppServer old_app("blog 1"), new_app("blog 2");
  start(table({server(old_app, 1)}));
  Connection slow(port());
  slow.send_text("GET /hold HTTP/1.1\r\nHost: blog.localhost\r\n\r\n");
  ASSERT_TRUE(eventually([&] { return in_flight("blog.1.web.1") == 1; }));
  router_->apply(table({server(new_app, 2)}));
  EXPECT_EQ(get("blog.localhost").body, "blog 2");
  EXPECT_EQ(in_flight("blog.1.web.1"), 1u);
  old_app.release();
  EXPECT_EQ(slow.read_response().body, "blog 1");
  EXPECT_TRUE(eventually([&] { return in_flight("blog.1.web.1") == 0; }));
}

TEST_F(LiveRouting, CountsRequestsThatAReloadLeftBehind) {
  AppServer old_app("blog 1"), new_app("blog 2");
  start(table({server(old_app, 1)}));
  Connection slow(port());
  slow.send_text("GET /hold HTTP/1.1\r\nHost: blog.localhost\r\n\r\n");
  ASSERT_TRUE(eventually([&] { return in_flight("blog.1.web.1") == 1; }));
  reload_into(table({server(new_app, 2)}));
  EXPECT_EQ(in_flight("blog.1.web.1"), 1u);
  router_->apply(table({server(new_app, 2)}));  // a second reload on top
  EXPECT_EQ(in_flight("blog.1.web.1"), 1u);
  old_app.release();
  EXPECT_EQ(slow.read_response().body, "blog 1");
  EXPECT_TRUE(eventually([&] { return in_flight("blog.1.web.1") == 0; }));
}

TEST_F(LiveRouting, HandsRequestsOfOldConnectionsToTheNewServersAfterAReload) {
  auto old_app = std::make_unique<AppServer>("blog 1");
  AppServer new_app("blog 2");
  start(table({server(*old_app, 1)}));
  std::vector<std::unique_ptr<Connection>> idle;
  for (int number = 0; number < 8; ++number) {
    idle.push_back(std::make_unique<Connection>(port(), "127.0.0.9"));
    ASSERT_EQ(idle.back()->get("blog.localhost").body, "blog 1");
  }
  reload_into(table({server(new_app, 2)}));
  const auto before = old_app->requests();
  ASSERT_TRUE(eventually([&] { return in_flight("blog.1.web.1") == 0; }));
  old_app.reset();
  for (auto& connection : idle) {
    const auto response = connection->get("blog.localhost", "/echo");
    EXPECT_EQ(response.status, 200) << response.head;
    EXPECT_NE(response.head.find("onnection: close"), std::string::npos) << response.head;
    EXPECT_NE(response.body.find("or: 127.0.0.9\r\n"), std::string::npos) << response.body;
  }
  EXPECT_EQ(before, 8u);
  EXPECT_EQ(new_app.requests(), 8u);
  EXPECT_TRUE(eventually([&] { return master().processes()->old_workers.empty(); })) << "the old worker stays";
}

TEST_F(LiveRouting, FailsNoRequestWhileServersAreSwapped) {
  auto current = std::make_unique<AppServer>("blog 1");
  start(table({server(*current, 1)}));
  Clients clients(port(), 3, 2);
  for (ReleaseNumber release = 2; release <= 101; ++release) {
    auto next = std::make_unique<AppServer>(fmt::format("blog {}", release));
    router_->apply(table({server(*next, release)}, release % 20 < 10));  // every tenth time with a reload
    const auto leaving = fmt::format("blog.{}.web.1", release - 1);
    ASSERT_TRUE(eventually([&] { return in_flight(leaving) == 0; })) << leaving;
    const auto served = current->requests();
    router_->forget({instance("blog", release - 1)});
    EXPECT_EQ(current->requests(), served) << "a drained server got a request";
    current = std::move(next);  // the old app is gone
  }
  clients.stop();
  EXPECT_EQ(clients.failures(), std::vector<std::string>{});
  EXPECT_GT(clients.answered(), 100u);
  EXPECT_EQ(router_->requests_in_flight().size(), 1u);
}

TEST_F(LiveRouting, ForgetsServersWithTheirConnections) {
  AppServer old_app("blog 1"), new_app("blog 2");
  start(table({server(old_app, 1)}));
  Connection slow(port());
  slow.send_text("POST /hold HTTP/1.1\r\nHost: blog.localhost\r\nContent-Length: 0\r\n\r\n");
  ASSERT_TRUE(eventually([&] { return in_flight("blog.1.web.1") == 1; }));
  router_->apply(table({server(new_app, 2)}));
  router_->forget({instance("blog", 1), instance("blog", 77), instance("nosuchapp", 1)});
  EXPECT_EQ(router_->requests_in_flight(), (std::map<std::string, unsigned>{{"blog.2.web.1", 0}}));
  EXPECT_NE(slow.read_response().status, 200);
  router_->forget({instance("blog", 1)});
  router_->apply(table({server(old_app, 1)}));  // and knows it again
  EXPECT_TRUE(router_->serves(table({server(old_app, 1)})));
}

TEST_F(LiveRouting, OnlyWritesTheFileWhenHaproxyDoesNotRun) {
  AppServer app("blog");
  EXPECT_FALSE(router_->is_running());
  const Stopwatch stopwatch;
  router_->apply(table({server(app, 1)}));
  EXPECT_LT(stopwatch.elapsed(), Milliseconds{5'000}) << "nobody waits for one that does not run";
  EXPECT_TRUE(router_->observed().empty());
  EXPECT_TRUE(router_->requests_in_flight().empty());
  EXPECT_FALSE(router_->serves(table({server(app, 1)})));
  router_->forget({instance("blog", 1)});
  launch();
  ASSERT_TRUE(eventually([&] { return router_->is_running(); })) << log();
  EXPECT_EQ(get("blog.localhost").body, "blog");
}

TEST_F(LiveRouting, IsRightAgainAfterItsWorkerWasKilled) {
  AppServer old_app("blog 1"), new_app("blog 2");
  start(table({server(old_app, 1)}));
  router_->apply(table({server(new_app, 2)}));
  kill(worker(), SIGKILL);
  ASSERT_TRUE(haproxy_->wait(Milliseconds{10'000})) << "the master lives on without a worker";
  launch();  // as s6 does
  ASSERT_TRUE(eventually([&] { return router_->is_running(); })) << log();
  EXPECT_TRUE(router_->serves(table({server(new_app, 2)})));
  EXPECT_EQ(get("blog.localhost").body, "blog 2");
}

TEST_F(LiveRouting, IsRightAgainAfterItsMasterWasKilled) {
  AppServer old_app("blog 1"), new_app("blog 2");
  start(table({server(old_app, 1)}));
  const auto orphan = worker();
  kill(haproxy_->pid(), SIGKILL);
  router_->apply(table({server(new_app, 2)}));
  ASSERT_TRUE(eventually([&] { return kill(orphan, 0) != 0; })) << "the worker lives on without its master";
  launch();
  ASSERT_TRUE(eventually([&] { return router_->serves(table({server(new_app, 2)})); })) << log();
  for (int number = 0; number < 10; ++number) EXPECT_EQ(get("blog.localhost").body, "blog 2");
}

TEST_F(LiveRouting, IsNotTakenForGoneWhileItReloads) {
  AppServer app("blog");
  start(table({server(app, 1)}));
  for (int number = 0; number < 5; ++number) {
    master().reload();
    EXPECT_TRUE(router_->is_running());
    router_->apply(table({server(app, 1)}));
    EXPECT_TRUE(router_->serves(table({server(app, 1)})));
  }
}

TEST_F(LiveRouting, KeepsTheOldConfigurationWhenTheNewOneIsRefused) {
  AppServer app("blog");
  start(table({server(app, 1)}));
  const auto before = config();
  Settings wrong = settings_;
  wrong.domain = "(";  // a part of a regular expression
  EXPECT_THROW(Router(*layout_, wrong).apply(table({server(app, 2)})), Error);
  EXPECT_EQ(config(), before);
  EXPECT_TRUE(router_->serves(table({server(app, 1)})));
  EXPECT_EQ(get("blog.localhost").body, "blog");
}

TEST_F(LiveRouting, GoesOnWithTheOldWorkerWhenAReloadFails) {
  AppServer app("blog");
  start(table({server(app, 1)}));
  Settings wrong = settings_;
  ++wrong.app_connections;
  // What only a start finds: a file cannot be written.
  const auto file = layout_->router() / "haproxy.pid";
  remove_file(file);
  make_directory(file);
  EXPECT_THROW(Router(*layout_, wrong).apply(table({server(app, 1)})), Error);
  EXPECT_EQ(get("blog.localhost").body, "blog");
  remove_tree(file);
  router_->apply(table({server(app, 1)}));
  EXPECT_TRUE(router_->serves(table({server(app, 1)})));
}

TEST_F(LiveRouting, LosesNothingWhenReloadsAndRunTimeChangesRace) {
  AppServer first("blog 1"), second("blog 2");
  start(table({server(first, 1)}));
  auto other = settings_;
  ++other.app_connections;
  const auto change = [&](bool with_reloads) {
    for (int number = 0; number < 5; ++number) {
      const bool is_even = number % 2 == 0;
      Router(*layout_, with_reloads && is_even ? other : settings_)
          .apply(table({server(is_even ? second : first, is_even ? 2 : 1)}));
    }
  };
  std::thread with_reloads(change, true), without(change, false);
  with_reloads.join();
  without.join();
  const auto written = config();
  const bool is_other = written.find(fmt::format("add(txn.open) gt {} ", other.app_connections)) != written.npos;
  const bool is_second = written.find("server blog.2.web.1") != written.npos;
  EXPECT_TRUE(
      Router(*layout_, is_other ? other : settings_).serves(table({is_second ? server(second, 2) : server(first, 1)})));
}

TEST_F(LiveRouting, KeepsItsSocketsToItself) {
  start(table({}));
  for (const auto* name : {"master.sock", "admin.sock", "current.sock", "second-try.sock"}) {
    EXPECT_EQ(fs::status(layout_->router() / name).permissions(), fs::perms::owner_read | fs::perms::owner_write)
        << name;
  }
}

TEST_F(LiveRouting, ASilentWorkerOrMasterIsFound) {
  const AppServer one("blog 1");
  start(table({server(one, 1)}));
  constexpr Milliseconds kPatience{500};
  EXPECT_TRUE(router_->silent_processes(kPatience).empty());
  const auto silent = worker();
  kill(silent, SIGSTOP);
  EXPECT_EQ(router_->silent_processes(kPatience), std::vector<pid_t>{silent});
  kill(silent, SIGCONT);
  EXPECT_TRUE(eventually([&] { return router_->silent_processes(kPatience).empty(); }));

  const auto all = master().all_processes();
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all.back(), silent);
  kill(all.front(), SIGSTOP);
  EXPECT_EQ(router_->silent_processes(kPatience), all);
  kill(all.front(), SIGCONT);
}

}  // namespace
}  // namespace pushrod
