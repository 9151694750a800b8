#include "operate/processes.hh"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "base/error.hh"
#include "os/file_lock.hh"

namespace pushrod {

namespace {

std::string shown_state(const Instance& instance, const InstanceStatus* status, const InstanceCondition& condition) {
  if (instance.state != InstanceState::Serving) return std::string(to_string(instance.state));
  if (status == nullptr) return "missing";
  return std::string(to_string(condition.condition));
}

// By the number that the app's files list: {"9394": 20123}
Json ports_json(const std::map<Port, Port>& ports) {
  auto object = Json::object();
  for (const auto& [listed, leased] : ports) object[std::to_string(listed)] = leased;
  return object;
}

std::optional<std::string> visible_command(Session& session, const Job& job) {
  if (!session.may(job.app, Right::Deploy)) return std::nullopt;
  try {
    const auto command = session.store().job_command(job);
    return command.empty() ? std::nullopt : std::optional(shown_command(command));
  } catch (const UserError&) {
    return std::nullopt;  // the vault's key is lost
  }
}

InstanceView view_of(const Instance& instance, const InstanceStatus* status, const InstanceCondition& condition) {
  InstanceView view{.instance = instance, .state = shown_state(instance, status, condition)};
  const bool is_crashing = condition.condition == Condition::Crashing;
  if (is_crashing) view.retry_in = condition.retry_in;
  if (status == nullptr) return view;
  const bool is_up = status->up && !is_crashing && condition.condition != Condition::Down;
  if (is_up) {
    view.pid = status->pid;
    view.up_for = status->since;
  }
  // The last of its ends has been followed by a start only if it is up.
  if (status->restarts > 0) view.restarts = status->restarts - (is_up ? 0 : 1);
  view.last_exit = to_string(status->last_exit);
  return view;
}

JobView view_of(Session& session, const Job& job) {
  const auto holder = lock_holder(session.layout().job_lock(job.id));
  const auto age = std::chrono::duration_cast<Milliseconds>(now() - job.started);
  return {.job = job,
          .state = holder ? "running" : "lost",
          .pid = holder ? holder->pid : 0,
          .age = std::max(age, Milliseconds{0}),
          .command = visible_command(session, job)};
}

// An instance that the router does not know has had none.
std::uint64_t count(const std::map<InstanceName, std::uint64_t>& requests, const InstanceName& name) {
  const auto found = requests.find(name);
  return found == requests.end() ? 0 : found->second;
}

// What began less than a look ago, or whose router was reloaded, has used nothing yet.
template <typename Number>
double rate(Number before, Number after, double divisor) {
  return after > before ? static_cast<double>(after - before) / divisor : 0;
}

}  // namespace

Json to_json(const InstanceView& view) {
  const auto& instance = view.instance;
  return {{"instance", instance.name.str()},
          {"app", instance.name.app.str()},
          {"release", instance.name.release},
          {"process", instance.name.type.str()},
          {"number", instance.name.number},
          {"state", view.state},
          {"pid", view.pid != 0 ? Json(view.pid) : Json(nullptr)},
          {"port", instance.port ? Json(*instance.port) : Json(nullptr)},
          {"ports", ports_json(instance.ports)},
          {"up_for_ms", view.up_for ? Json(view.up_for->count()) : Json(nullptr)},
          {"retry_in_ms", view.retry_in ? Json(view.retry_in->count()) : Json(nullptr)},
          {"restarts", view.restarts},
          {"last_exit", view.last_exit}};
}

Json to_json(const JobView& view) {
  return {{"instance", view.job.instance().str()},
          {"app", view.job.app.str()},
          {"release", view.job.release},
          {"process", view.job.name},
          {"number", view.job.number},
          {"state", view.state},
          {"pid", view.pid != 0 ? Json(view.pid) : Json(nullptr)},
          {"port", nullptr},
          {"ports", Json::object()},
          {"up_for_ms", view.age.count()},
          {"restarts", 0},
          {"last_exit", ""},
          {"command", view.command ? Json(*view.command) : Json(nullptr)},
          {"author", view.job.author}};
}

RunningProcesses processes(Session& session, const std::optional<AppName>& app) {
  std::optional<AppId> only;
  if (app) only = session.require_app(*app, Right::See).id;
  const auto instances = only ? session.store().instances(*only) : session.store().instances();
  std::map<InstanceName, InstanceStatus> observed;
  for (auto& status : session.engine().inspect()) observed.emplace(status.name, status);
  const auto conditions = session.engine().conditions(instances);
  RunningProcesses found;
  for (std::size_t at = 0; at < instances.size(); ++at) {
    if (!session.may(instances[at].name.app, Right::See)) continue;
    const auto status = observed.find(instances[at].name);
    found.instances.push_back(
        view_of(instances[at], status == observed.end() ? nullptr : &status->second, conditions[at]));
  }
  for (const auto& job : session.store().running_jobs()) {
    if ((only && job.app_id != *only) || !session.may(job.app, Right::See)) continue;
    found.jobs.push_back(view_of(session, job));
  }
  return found;
}

Json to_json(const Usage& usage) {
  return {{"instance", usage.status.name.str()},
          {"app", usage.status.name.app.str()},
          {"process", usage.status.name.type.str()},
          {"cpu_percent", std::round(usage.processors * 1000) / 10},
          {"memory_bytes", usage.memory},
          {"requests_per_second", std::round(usage.requests * 10) / 10},
          {"restarts", usage.status.restarts},
          {"up_for_ms", usage.status.since.count()}};
}

UsageMeter::UsageMeter(Session& session, std::optional<AppName> app) : session_(session), app_(std::move(app)) {
  if (app_) session_.require_app(*app_, Right::See);
  before_ = take();
}

UsageMeter::Look UsageMeter::take() const {
  Look look;
  look.requests = session_.ingress().requests_served();
  for (auto& usage : session_.engine().usage()) look.usage.emplace(usage.name, std::move(usage));
  return look;
}

std::vector<Usage> UsageMeter::look() {
  auto after = take();
  const auto milliseconds = static_cast<double>((before_.taken.elapsed() - after.taken.elapsed()).count());
  std::vector<Usage> found;
  for (auto& status : session_.engine().inspect()) {
    const auto now = after.usage.find(status.name);
    if (now == after.usage.end() || (app_ && status.name.app != *app_) || !session_.may(status.name.app, Right::See)) {
      continue;
    }
    Usage usage{std::move(status), 0, now->second.memory, 0};
    if (const auto then = before_.usage.find(usage.status.name); then != before_.usage.end() && milliseconds > 0) {
      usage.processors = rate(then->second.processor.count(), now->second.processor.count(), milliseconds);
      usage.requests = rate(count(before_.requests, usage.status.name), count(after.requests, usage.status.name),
                            milliseconds / 1000);
    }
    found.push_back(std::move(usage));
  }
  std::ranges::sort(found, {}, [](const Usage& usage) { return usage.status.name; });
  before_ = std::move(after);
  return found;
}

}  // namespace pushrod
