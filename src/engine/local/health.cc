// When is an instance healthy? A routed one when it accepts on its port, and answers its health path if it has one; any
// other when it has stayed up for a second. One that ends before is not, at once.
// Floor 5, part of the engine for this machine.
#include <fmt/format.h>
#include <poll.h>

#include <algorithm>

#include "base/error.hh"
#include "base/text.hh"
#include "engine/local/failure_hint.hh"
#include "engine/local/local_engine.hh"

namespace pushrod {

namespace {

constexpr Milliseconds kSettled{1'000};        // how long a worker must have been up
constexpr Milliseconds kFirstPause{4};         // nothing tells when a port begins to accept, so it is asked again …
constexpr Milliseconds kBrisk{500};            // … at this pace while most apps start (asking costs 0.05 ms) …
constexpr Milliseconds kLongestPause{50};      // … then ever more slowly
constexpr Milliseconds kProbeDeadline{2'000};  // of one attempt

enum class Verdict { NotYet, Healthy };

std::string host_for_health(const InstancePlan& plan) { return plan.name.app.str(); }

// What the last attempt saw, for the message when time is up.
struct Attempt {
  Verdict verdict = Verdict::NotYet;
  std::string seen;
  bool answered = false;  // otherwise than a healthy one does
};

// `up`: for how long we have seen it so.
Attempt probe(const InstancePlan& plan, Milliseconds up) {
  if (!plan.port) return {up >= kSettled ? Verdict::Healthy : Verdict::NotYet, "it is not up"};
  if (!plan.process.health.path) {
    if (accepts_connections(*plan.port, kProbeDeadline)) return {Verdict::Healthy, {}};
    return {Verdict::NotYet, fmt::format("nothing accepts connections on 127.0.0.1:{}", *plan.port)};
  }
  const auto code = http_status(*plan.port, host_for_health(plan), *plan.process.health.path, kProbeDeadline);
  if (!code) return {Verdict::NotYet, fmt::format("GET {} got no answer", *plan.process.health.path)};
  if (*code >= 200 && *code < 400) return {Verdict::Healthy, {}};
  return {Verdict::NotYet, fmt::format("GET {} answered {}", *plan.process.health.path, *code), true};
}

std::string died(const std::string& last_exit) {
  if (last_exit.starts_with("killed")) return "was " + last_exit;
  return last_exit.empty() ? "ended" : "ended with " + last_exit;
}

}  // namespace

std::vector<std::string> LocalEngine::instance_output(const InstanceName& name) const {
  constexpr Milliseconds kLoggerDeadline{1'000};
  constexpr std::size_t kMostLines = 500'000;
  await_logged(layout_.service(name.str()), kLoggerDeadline);
  return last_log_lines(layout_.instance_log(name), kMostLines);
}

std::optional<HealthFailure> LocalEngine::await_healthy(const std::vector<InstancePlan>& plans, int cancel_fd) {
  struct Pending {
    const InstancePlan* plan;
    Deadline deadline;
    std::optional<Stopwatch> up = {};  // since it was first seen up; by its own stamp a clock that is set decided
  };
  std::vector<Pending> pending;
  for (const auto& plan : plans) {
    // A worker's second must fit into whatever its timeout is.
    const auto timeout = plan.port ? plan.process.health.timeout : std::max(plan.process.health.timeout, 3 * kSettled);
    pending.push_back({&plan, Deadline(timeout)});
  }

  const auto failure = [this](const InstancePlan& plan, const ServiceStatus& status, std::string reason,
                              bool answered) {
    auto output = instance_output(plan.name);
    auto hint = explain_unhealthy(plan, status, answered, output);
    return HealthFailure{plan.name, std::move(reason), std::move(hint), std::move(output)};
  };

  const Stopwatch waited;
  Milliseconds pause = kFirstPause;
  while (true) {
    for (auto it = pending.begin(); it != pending.end();) {
      const auto& plan = *it->plan;
      auto status = supervisor_.status(plan.name.str());
      if (status.deaths > 0) {
        status.last_exit = last_exit_of(plan.name, status.last_exit);
        return failure(plan, status, died(status.last_exit), false);
      }
      if (!status.up) it->up.reset();
      if (status.up && !it->up) it->up.emplace();
      auto attempt = probe(plan, it->up ? it->up->elapsed() : Milliseconds{0});
      if (attempt.verdict == Verdict::Healthy) {
        it = pending.erase(it);
        continue;
      }
      if (it->deadline.passed()) {
        return failure(
            plan, status,
            fmt::format("is not healthy after {}: {}", format_duration(plan.process.health.timeout), attempt.seen),
            attempt.answered);
      }
      ++it;
    }
    if (pending.empty()) return std::nullopt;
    pollfd cancel{cancel_fd, POLLIN, 0};
    if (poll(&cancel, 1, static_cast<int>(pause.count())) > 0) throw UserError("cancelled");
    if (waited.elapsed() > kBrisk) pause = std::min(pause * 3 / 2, kLongestPause);
  }
}

}  // namespace pushrod
