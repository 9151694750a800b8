// An engine and an ingress without processes: instances and routes are files, so that they outlive a killed deployment
// as real ones do. What it is told to do wrong, it does wrong at a chosen call. Used by the tests of deploy/ only.
#pragma once

#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "base/error.hh"
#include "base/text.hh"
#include "engine/engine.hh"
#include "engine/ingress.hh"
#include "fake_services.hh"
#include "os/files.hh"

namespace pushrod {

class FakeEngine : public Engine, public Ingress {
 public:
  explicit FakeEngine(fs::path directory) : directory_(std::move(directory)) { make_directory(instances()); }

  // Before or after the call with this number (from 1) takes effect; every other call works.
  enum class Fault { None, Throw, ThrowAfter, Die, DieAfter };
  Fault fault = Fault::None;
  unsigned fault_at = 0;
  mutable unsigned calls = 0;

  bool ready = true;
  std::string unhealthy;  // "blog.2.web.1" or a type: "web"; ends with exit code 1
  std::function<void()> on_await, on_route;
  std::map<InstanceName, unsigned> flights;
  std::map<AppName, Idleness> idle;
  std::vector<std::string> not_kept;
  std::map<InstanceName, std::pair<unsigned, ExitStatus>> deaths;  // how many, and the last exit
  std::map<InstanceName, Condition> condition;                     // otherwise by whether it is up
  bool stubborn = false;                                           // stopped instances go on running
  mutable std::vector<std::string> told;
  bool loggers_die = false;  // those of jobs, at once
  mutable std::vector<InstancePlan> jobs;
  mutable std::vector<InstanceName> forgotten;
  mutable std::map<InstanceName, bool> provided;  // whether it was there already
  mutable std::vector<AppName> forgotten_apps;
  mutable std::vector<InstanceName> unrouted;  // that the ingress was told to forget

  void check_ready() const override {
    if (!ready) throw UserError("Pushrod is not running", "start it");
  }
  std::vector<Finding> examine() const override { return {}; }
  const FakeServices& services() const override { return services_; }
  void provide(const std::vector<InstancePlan>& plans) const override {
    for (const auto& plan : plans) provided[plan.name] = states().contains(plan.name);
  }
  Endpoint endpoint(const Instance& instance) const override { return loopback(instance.port.value()); }
  std::unique_ptr<LogStream> logs(const AppName&, const std::string&) const override { return nullptr; }
  std::unique_ptr<LogStream> access_log(const AppName&) const override { return nullptr; }
  void tend() const override {}
  std::vector<std::string> shell_words(const std::string& line) const override { return {"/bin/sh", "-c", line}; }
  void forget_app(const AppName& app) const override { forgotten_apps.push_back(app); }
  void start(const std::vector<InstancePlan>& plans) const override {
    const Call call(*this, "start", names_of(plans));
    for (const auto& plan : plans) {
      if (!is_directory(plan.checkout.tree())) {
        throw Error("no checkout for " + plan.name.str() + ": " + plan.checkout.tree().string());
      }
      set(plan.name, "up");
    }
  }
  std::optional<HealthFailure> await_healthy(const std::vector<InstancePlan>& plans, int cancel_fd) const override {
    const Call call(*this, "await", names_of(plans));
    if (on_await) on_await();
    pollfd cancel{cancel_fd, POLLIN, 0};
    if (cancel_fd >= 0 && poll(&cancel, 1, 0) > 0) throw Cancelled();
    for (const auto& plan : plans) {
      if (plan.name.str() != unhealthy && plan.name.type.str() != unhealthy) continue;
      return HealthFailure{plan.name, "ended with exit code 1", "look at its output", {"Traceback", "\x1b[2JKeyError"}};
    }
    return std::nullopt;
  }
  std::vector<InstanceStatus> inspect() const override {
    const Call call(*this, "inspect", {});
    std::vector<InstanceStatus> found;
    for (const auto& [name, state] : states()) found.push_back({name, state == "up", 0, Milliseconds{0}, 0, {}});
    return found;
  }
  std::vector<InstanceStatus> inspect(const std::vector<InstanceName>& names) const override {
    std::vector<InstanceStatus> found;
    for (auto& status : inspect()) {
      if (std::find(names.begin(), names.end(), status.name) == names.end()) continue;
      if (const auto death = deaths.find(status.name); death != deaths.end()) {
        status.restarts = death->second.first;
        status.last_exit = death->second.second;
      }
      found.push_back(std::move(status));
    }
    return found;
  }
  std::vector<InstanceCondition> conditions(const std::vector<Instance>& instances) const override {
    std::vector<InstanceCondition> found;
    for (const auto& instance : instances) {
      const auto state = states();
      const auto here = state.find(instance.name);
      const bool up = here != state.end() && here->second == "up";
      const auto known = condition.find(instance.name);
      found.push_back({instance.name,
                       known != condition.end() ? known->second
                       : up                     ? Condition::Running
                                                : Condition::Down,
                       Milliseconds{0}});
    }
    return found;
  }
  std::vector<std::string> last_output(const InstanceName& name) const override {
    return {"the last words of " + name.str()};
  }
  std::vector<InstanceUsage> usage() const override { return {}; }
  std::map<AppName, Idleness> idleness() const override { return idle; }
  std::vector<std::string> limits_not_kept(const std::vector<InstancePlan>&) const override { return not_kept; }
  // A job is its words, without any sandbox.
  Command job(const InstancePlan& plan, const std::vector<std::string>& words) const override {
    jobs.push_back(plan);
    Command command;
    command.argv = words;
    command.environment.insert(plan.environment.begin(), plan.environment.end());
    return command;
  }
  Command job_log(const InstanceName& name) const override {
    Command command;
    if (loggers_die) {
      command.argv = {"/bin/true"};
      return command;
    }
    command.argv = {"/bin/sh", "-c", "cat >'" + (directory_ / (name.str() + ".log")).string() + "'"};
    return command;
  }
  void forget_job(const InstanceName& name) const override { forgotten.push_back(name); }

  void stop(const std::vector<InstanceName>& names) const override {
    const Call call(*this, "stop", names);
    for (const auto& name : names) {
      if (!stubborn) end(name);
    }
  }
  void kill(const std::vector<InstanceName>& names) const override {
    const Call call(*this, "kill", names);
    for (const auto& name : names) end(name);
  }
  // Nothing ends at once: the first time it is asked for, an instance still runs.
  std::vector<InstanceName> remove(const std::vector<InstanceName>& names) const override {
    const Call call(*this, "remove", names);
    std::vector<InstanceName> left;
    const auto before = states();
    for (const auto& name : names) {
      const auto found = before.find(name);
      if (found == before.end()) continue;
      if (found->second == "down") {
        remove_file(instances() / name.str());
        continue;
      }
      if (found->second == "stopping") set(name, "down");
      left.push_back(name);
    }
    return left;
  }
  void route(const std::vector<TrafficTarget>& targets) const override {
    if (on_route) on_route();
    const Call call(*this, "route", {});
    write_file(routes_file(), rendered(targets), 0600, false);
  }
  bool is_routed(const std::vector<TrafficTarget>& targets) const override { return routes() == rendered(targets); }
  std::map<InstanceName, unsigned> requests_in_flight() const override { return flights; }
  std::map<InstanceName, std::uint64_t> requests_served() const override { return {}; }
  void forget(const std::vector<InstanceName>& ended) const override {
    unrouted.insert(unrouted.end(), ended.begin(), ended.end());
  }

  // --- what tests look at and change
  std::map<InstanceName, std::string> states() const {
    std::map<InstanceName, std::string> found;
    for (const auto& entry : list_directory(instances())) {
      if (const auto name = InstanceName::from(entry)) found.emplace(*name, read_file(instances() / entry).value());
    }
    return found;
  }
  void set(const InstanceName& name, const std::string& state) const {
    write_file(instances() / name.str(), state, 0600, false);
  }
  void lose(const InstanceName& name) const { remove_file(instances() / name.str()); }
  std::string routes() const { return read_file(routes_file()).value_or(""); }
  void set_routes(const std::string& text) const { write_file(routes_file(), text, 0600, false); }

  static std::string rendered(const std::vector<TrafficTarget>& targets) {
    std::string text;
    for (const auto& target : targets) {
      std::vector<std::string> servers;
      for (const auto& backend : target.backends) servers.push_back(backend.instance.str());
      std::sort(servers.begin(), servers.end());
      std::vector<std::string> points;
      for (const auto& route : target.routes) points.push_back(route.point.str());
      text += join(points, ",") + ": " + join(servers, " ") + "\n";
    }
    return text;
  }

 private:
  class Call {
   public:
    Call(const FakeEngine& engine, const std::string& what, const std::vector<InstanceName>& names)
        : engine_(engine), hit_(engine.fault != Fault::None && ++engine.calls == engine.fault_at) {
      std::vector<std::string> words{what};
      for (const auto& name : names) words.push_back(name.str());
      engine.told.push_back(join(words, " "));
      if (!hit_) return;
      if (engine.fault == Fault::Die) ::kill(getpid(), SIGKILL);
      if (engine.fault == Fault::Throw) throw Error("the engine broke at " + what);
    }
    Call(const Call&) = delete;
    Call& operator=(const Call&) = delete;
    // Thrown from here on purpose: what was asked for has been done, and the caller does not learn of it.
    ~Call() noexcept(false) {
      if (!hit_ || std::uncaught_exceptions() > 0) return;
      if (engine_.fault == Fault::DieAfter) ::kill(getpid(), SIGKILL);
      if (engine_.fault == Fault::ThrowAfter) throw Error("the engine broke after it had done it");
    }

   private:
    const FakeEngine& engine_;
    bool hit_;
  };

  static std::vector<InstanceName> names_of(const std::vector<InstancePlan>& plans) {
    std::vector<InstanceName> names;
    for (const auto& plan : plans) names.push_back(plan.name);
    return names;
  }
  void end(const InstanceName& name) const {
    const auto before = states();
    const auto found = before.find(name);
    if (found != before.end() && found->second == "up") set(name, "stopping");
  }
  fs::path instances() const { return directory_ / "instances"; }
  fs::path routes_file() const { return directory_ / "routes"; }

  fs::path directory_;
  FakeServices services_;
};

}  // namespace pushrod
