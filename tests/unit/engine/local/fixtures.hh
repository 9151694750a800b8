// A root directory with a supervision tree, a router and checkouts, for the tests of the engine for this machine.
#pragma once

#include <gmock/gmock.h>
#include <sys/prctl.h>

#include <csignal>

#include "../../router/live_router.hh"
#include "engine/local/local_engine.hh"
#include "engine/local/local_ingress.hh"
#include "engine/local/local_tree.hh"
#include "os/command.hh"
#include "sandbox/sandbox.hh"

namespace pushrod {

inline constexpr Milliseconds kPatience{20'000};

class LocalTest : public testing::Test {
 protected:
  LocalTest() : layout_(make_root()), settings_(make_settings()), tree_(layout_, programs()) {
    prctl(PR_SET_CHILD_SUBREAPER, 1);  // what a killed supervisor leaves becomes our child
    for (const auto& directory : {layout_.scan(), layout_.services(), layout_.locks(), layout_.router()}) {
      make_directory(directory);
    }
    write_sandbox_etc(layout_.sandbox_etc());
  }
  ~LocalTest() override {
    scanner_.reset();  // SIGKILL to its process group: s6-svscan and every s6-supervise
    tree_.end_orphans(Milliseconds{0});
    remove_tree(layout_.root());
  }

  void start_tree() {
    Command command;
    command.argv = tree_.prepare_scan("/nonexistent/pushrod");
    command.die_with_parent = false;
    command.inherit = listeners_.of(settings_);
    scanner_.emplace(ChildProcess::start(command, -1, -1, 2));
    ASSERT_TRUE(eventually([&] { return tree_.is_running(); }));
  }

  static InstanceName name(const std::string& text) { return InstanceName::from(text).value(); }
  // Of release 1 of blog: "web", "worker".
  InstancePlan plan(const std::string& type, const std::string& command, std::optional<Port> port = {}) const {
    const auto app = AppName::parse("blog");
    Process process{.type = ProcessType::parse(type), .command = command, .health = {}};
    process.health.settle = Milliseconds{0};
    InstancePlan plan{.name = {app, 1, process.type, 1},
                      .process = process,
                      .port = port,
                      .ports = {},
                      .checkout = layout_.checkout(app, 1),
                      .source = {RepoName::parse("blog"), BranchName::parse("main"), ""},
                      .environment = {{"PATH", "/usr/bin:/bin"}, {"GREETING", "hi"}}};
    make_directory(plan.checkout.tree());
    return plan;
  }
  // Until the last of them has ended.
  std::vector<InstanceName> end(const std::vector<InstanceName>& names) const {
    engine_.kill(names);
    std::vector<InstanceName> left = names;
    eventually([&] { return (left = engine_.remove(left)).empty(); });
    return left;
  }
  std::string output(const InstanceName& instance) const { return join(engine_.last_output(instance), "\n"); }

  static TrafficTarget target(const std::string& app, std::vector<Backend> backends) {
    return {AppName::parse(app), {{RoutePoint::parse(app + ".localhost")}}, std::move(backends)};
  }

 private:
  static fs::path make_root() {
    std::string pattern = (fs::temp_directory_path() / "engine-test.XXXXXX").native();
    return mkdtemp(pattern.data());
  }
  static Settings make_settings() {
    Settings settings;
    settings.http = {"127.0.0.1", listen_anywhere().second};
    return settings;
  }
  static fs::path programs() { return own_program().parent_path(); }

 protected:
  Layout layout_;
  Settings settings_;
  LocalTree tree_;
  LocalEngine engine_{layout_, settings_, programs()};
  LocalIngress ingress_{layout_, settings_};
  KeptListeners listeners_;
  std::optional<ChildProcess> scanner_;
};

}  // namespace pushrod
