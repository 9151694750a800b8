// ps: the instances, as they are wanted and as they are.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/error.hh"
#include "base/text.hh"
#include "cli/grammar.hh"
#include "cli/output.hh"
#include "cli/verbs.hh"
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

// "20001, 9394 is 20002"
std::string shown_ports(const Instance& instance) {
  std::vector<std::string> words;
  if (instance.port) words.push_back(std::to_string(*instance.port));
  for (const auto& [listed, leased] : instance.ports) words.push_back(fmt::format("{} is {}", listed, leased));
  return words.empty() ? "-" : join(words, ", ");
}

// Its arguments may be secrets.
Json shown_command_of(Context& context, const Job& job) {
  if (!context.may(job.app, Right::Deploy)) return nullptr;
  try {
    const auto command = context.store().job_command(job);
    return command.empty() ? Json(nullptr) : Json(shown_command(command));
  } catch (const UserError&) {
    return nullptr;  // the vault's key is gone
  }
}

// One-off commands and cron jobs; their process is the one that looks after them.
void add_job(Json& list, Table& table, Context& context, const Job& job) {
  const auto holder = lock_holder(context.layout().job_lock(job.id));
  const auto age = std::max(std::chrono::duration_cast<Milliseconds>(now() - job.started), Milliseconds{0});
  const auto state = holder ? "running" : "lost";
  list.push_back({{"instance", job.instance().str()},
                  {"app", job.app.str()},
                  {"release", job.release},
                  {"process", job.name},
                  {"number", job.number},
                  {"state", state},
                  {"pid", holder ? Json(holder->pid) : Json(nullptr)},
                  {"port", nullptr},
                  {"ports", Json::object()},
                  {"up_for_ms", age.count()},
                  {"restarts", 0},
                  {"last_exit", ""},
                  {"command", shown_command_of(context, job)},
                  {"author", job.author}});
  table.add(
      {job.instance().str(), state, holder ? std::to_string(holder->pid) : "-", "-", format_duration(age), "0", "-"});
}

int show_processes(Context& context, const std::string& app, bool json) {
  std::optional<AppId> only;
  if (!app.empty()) only = context.require_app(app, Right::See).id;
  const auto instances = only ? context.store().instances(*only) : context.store().instances();
  std::map<InstanceName, InstanceStatus> observed;
  for (auto& status : context.engine().inspect()) observed.emplace(status.name, status);
  const auto conditions = context.engine().conditions(instances);

  auto list = Json::array();
  Table table({"INSTANCE", "STATE", "PID", "PORT", "UP FOR", "RESTARTS", "LAST EXIT"});
  for (std::size_t at = 0; at < instances.size(); ++at) {
    const auto& instance = instances[at];
    const auto& condition = conditions[at];
    if (!context.may(instance.name.app, Right::See)) continue;
    const auto found = observed.find(instance.name);
    const InstanceStatus* status = found == observed.end() ? nullptr : &found->second;
    const bool is_crashing = condition.condition == Condition::Crashing;
    const bool up = status != nullptr && status->up && !is_crashing && condition.condition != Condition::Down;
    // The last of its ends has been followed by a start only if it is up.
    const auto restarts = status == nullptr || status->restarts == 0 ? 0 : status->restarts - (up ? 0 : 1);
    const auto state = shown_state(instance, status, condition);
    list.push_back({{"instance", instance.name.str()},
                    {"app", instance.name.app.str()},
                    {"release", instance.name.release},
                    {"process", instance.name.type.str()},
                    {"number", instance.name.number},
                    {"state", state},
                    {"pid", up ? Json(status->pid) : Json(nullptr)},
                    {"port", instance.port ? Json(*instance.port) : Json(nullptr)},
                    {"ports", ports_json(instance.ports)},
                    {"up_for_ms", up ? Json(status->since.count()) : Json(nullptr)},
                    {"retry_in_ms", is_crashing ? Json(condition.retry_in.count()) : Json(nullptr)},
                    {"restarts", restarts},
                    {"last_exit", status != nullptr ? status->last_exit : ""}});
    const auto shown = is_crashing ? fmt::format("{}, retry in {}", state, format_duration(condition.retry_in)) : state;
    table.add({instance.name.str(), shown, up ? std::to_string(status->pid) : "-", shown_ports(instance),
               up ? format_duration(status->since) : "-", std::to_string(restarts),
               status != nullptr && !status->last_exit.empty() ? status->last_exit : "-"});
  }
  for (const auto& job : context.store().running_jobs()) {
    if ((only && job.app_id != *only) || !context.may(job.app, Right::See)) continue;
    add_job(list, table, context, job);
  }
  if (json) {
    print_json(list);
  } else {
    context.note_if_down();
    print(table.is_empty() ? "Nothing runs.\n" : table.str());
  }
  return kExitOk;
}

}  // namespace

void add_ps_verb(Grammar& grammar) {
  struct Words {
    std::string app;
    bool json = false;
  };
  const auto words = std::make_shared<Words>();
  grammar
      .verb("ps", "the instances",
            [words](Context& context) { return show_processes(context, words->app, words->json); })
      .takes("APP", words->app, "only this app's")
      .json(words->json);
}

}  // namespace pushrod
