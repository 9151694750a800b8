// When is an instance healthy? A routed one passes its check when it accepts on its port, and answers its health path
// if it has one; any other when it is up. After its first successful check an instance must stay up for health.settle
// and pass the check again. An instance that ends before that is unhealthy at once. Part of the engine for
// this machine.
#include <fmt/format.h>
#include <poll.h>

#include <algorithm>

#include "base/error.hh"
#include "base/text.hh"
#include "engine/local/failure_hint.hh"
#include "engine/local/local_engine.hh"

namespace pushrod {

namespace {

constexpr Milliseconds kSettle{1'000};         // of a release that was made before it was a setting
constexpr Milliseconds kFirstPause{2};         // nothing tells when a port begins to accept, so it is asked again …
constexpr Milliseconds kBrisk{500};            // … at this pace while most apps start (asking costs 0.05 ms) …
constexpr Milliseconds kLongestPause{50};      // … then ever more slowly
constexpr Milliseconds kProbeDeadline{2'000};  // of one attempt
// While s6-supervise starts, it writes a new status several times, and asking for each takes a process.
constexpr Milliseconds kUntilFirstLook{15};

enum class Verdict { NotYet, Healthy };

// What the last attempt saw, for the message when time is up.
struct Attempt {
  Verdict verdict = Verdict::NotYet;
  std::string seen;
  bool answered = false;  // otherwise than a healthy one does
};

Attempt probe(const InstancePlan& plan, bool up) {
  if (!plan.port) return {up ? Verdict::Healthy : Verdict::NotYet, "it is not up"};
  if (!plan.process.health.path) {
    if (accepts_connections(*plan.port, kProbeDeadline)) return {Verdict::Healthy, {}};
    return {Verdict::NotYet, "nothing accepts connections on " + loopback(*plan.port).str()};
  }
  // Frameworks refuse hosts that they do not know, and redirect http to https.
  const auto& host = plan.address.host.empty() ? plan.name.app.str() : plan.address.host;
  const auto code = http_status(*plan.port, host, *plan.process.health.path, kProbeDeadline, plan.address.is_https);
  if (!code) return {Verdict::NotYet, fmt::format("GET {} got no answer", *plan.process.health.path)};
  if (*code >= 200 && *code < 400) return {Verdict::Healthy, {}};
  return {Verdict::NotYet, fmt::format("GET {} answered {}", *plan.process.health.path, *code), true};
}

}  // namespace

std::vector<std::string> LocalEngine::instance_output(const InstanceName& name) const {
  constexpr Milliseconds kLoggerDeadline{1'000};
  constexpr std::size_t kMostLines = 500'000;
  await_logged(layout_.service(name.str()), kLoggerDeadline);
  return last_log_lines(layout_.instance_log(name), kMostLines);
}

std::optional<HealthFailure> LocalEngine::await_healthy(const std::vector<InstancePlan>& plans, int cancel_fd) const {
  struct Pending {
    const InstancePlan* plan;
    Deadline deadline;                       // of its first successful check
    std::optional<Stopwatch> settling = {};  // since that check, by our clock: the machine's may be set
    Milliseconds settle() const { return plan->process.health.settle.value_or(kSettle); }
    bool is_settling() const { return settling && settling->elapsed() < settle(); }
  };
  std::vector<Pending> pending;
  pending.reserve(plans.size());
  for (const auto& plan : plans) pending.push_back({&plan, Deadline(plan.process.health.timeout)});

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
      if (plan.port && waited.elapsed() < kUntilFirstLook && probe(plan, false).verdict != Verdict::Healthy) {
        ++it;
        continue;
      }
      auto status = supervisor_.status(plan.name.str());
      if (status.deaths > 0) {
        status.last_exit = last_exit_of(plan.name, status.last_exit);
        auto reason = describe_end(status.last_exit);
        if (it->settling)
          reason += fmt::format(", {} after its first successful check", format_duration(it->settling->elapsed()));
        return failure(plan, status, std::move(reason), false);
      }
      if (status.up && it->is_settling()) {
        ++it;
        continue;
      }
      const auto attempt = probe(plan, status.up);
      if (attempt.verdict == Verdict::Healthy && (it->settling || it->settle() == Milliseconds{0})) {
        it = pending.erase(it);
        continue;
      }
      if (attempt.verdict == Verdict::Healthy) {
        it->settling.emplace();
      } else if (it->deadline.passed()) {
        const auto when = it->settling ? "was healthy for " + format_duration(it->settle()) + " only"
                                       : "is not healthy after " + format_duration(plan.process.health.timeout);
        return failure(plan, status, fmt::format("{}: {}", when, attempt.seen), attempt.answered);
      } else {
        it->settling.reset();
      }
      ++it;
    }
    if (pending.empty()) return std::nullopt;
    pollfd cancel{cancel_fd, POLLIN, 0};
    if (poll(&cancel, 1, static_cast<int>(pause.count())) > 0) throw Cancelled();
    if (waited.elapsed() > kBrisk) pause = std::min(pause * 3 / 2, kLongestPause);
  }
}

}  // namespace pushrod
