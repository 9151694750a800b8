// Puts what the database wants and what instances do together to one word.
#include "deploy/condition.hh"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <set>

#include "base/text.hh"
#include "deploy/traffic.hh"

namespace pushrod {

namespace {

bool runs(const InstanceCondition& instance) { return instance.condition == Condition::Running; }

std::string word_for(const std::vector<InstanceCondition>& instances) {
  std::map<ProcessType, std::vector<Condition>> types;
  for (const auto& instance : instances) types[instance.name.type].push_back(instance.condition);
  std::set<Condition> worst;
  for (const auto& [type, conditions] : types) {
    if (std::find(conditions.begin(), conditions.end(), Condition::Running) != conditions.end()) continue;
    worst.insert(*std::max_element(conditions.begin(), conditions.end()));
  }
  for (const auto condition : {Condition::Crashing, Condition::Down, Condition::Starting}) {
    if (worst.contains(condition)) return std::string(to_string(condition));
  }
  return std::all_of(instances.begin(), instances.end(), runs) ? "running" : "degraded";
}

std::string state_of(const App& app, TrafficMode mode, const std::vector<InstanceCondition>& instances) {
  if (!app.live) return "not deployed";
  if (app.stopped) return "stopped";
  const auto word = word_for(instances);
  return word == "running" && mode == TrafficMode::Asleep ? "asleep" : word;
}

std::string traffic_of(const TrafficTarget& target, const std::map<InstanceName, Condition>& conditions) {
  if (target.mode != TrafficMode::Serve) return std::string(to_string(target.mode));
  const bool is_answered = std::any_of(target.backends.begin(), target.backends.end(), [&](const Backend& backend) {
    const auto found = conditions.find(backend.instance);
    return found != conditions.end() && found->second == Condition::Running;
  });
  return is_answered ? std::string(to_string(target.mode)) : "unavailable";
}

// Serving instances, and others that requests go to.
std::vector<Instance> relevant(const std::vector<Instance>& rows, const std::vector<TrafficTarget>& targets) {
  std::set<InstanceName> routed;
  for (const auto& target : targets) {
    for (const auto& backend : target.backends) routed.insert(backend.instance);
  }
  std::vector<Instance> found;
  std::copy_if(rows.begin(), rows.end(), std::back_inserter(found),
               [&](const Instance& row) { return row.state == InstanceState::Serving || routed.contains(row.name); });
  return found;
}

std::map<AppName, AppCondition> conditions_of(const Platform& platform, const std::vector<App>& apps,
                                              const std::vector<TrafficTarget>& targets,
                                              const std::vector<Instance>& rows) {
  std::map<InstanceName, Condition> observed;
  std::map<AppName, AppCondition> found;
  std::set<InstanceName> serving;
  for (const auto& row : rows) {
    if (row.state == InstanceState::Serving) serving.insert(row.name);
  }
  for (const auto& one : platform.engine.conditions(relevant(rows, targets))) {
    observed.emplace(one.name, one.condition);
    if (serving.contains(one.name)) found[one.name.app].instances.push_back(one);
  }
  std::map<AppName, const TrafficTarget*> by_name;
  for (const auto& target : targets) by_name.emplace(target.app, &target);
  for (const auto& app : apps) {
    auto& condition = found[app.name];
    const auto target = by_name.find(app.name);
    const bool is_known = target != by_name.end();  // it may have been made in this moment
    condition.state = state_of(app, is_known ? target->second->mode : TrafficMode::Serve, condition.instances);
    condition.traffic = is_known ? traffic_of(*target->second, observed) : "unavailable";
  }
  return found;
}

}  // namespace

bool AppCondition::works() const {
  const bool types_work = state == "running" || state == "degraded" || state == "asleep";
  const bool has_web =
      std::any_of(instances.begin(), instances.end(), [](const auto& one) { return one.name.type.str() == "web"; });
  return types_work && (!has_web || traffic == "served" || traffic == "asleep");
}

unsigned AppCondition::running() const {
  return static_cast<unsigned>(std::count_if(instances.begin(), instances.end(), runs));
}

std::map<AppName, AppCondition> conditions_of_apps(const Platform& platform) {
  return conditions_of(platform, platform.store.apps(), traffic_targets(platform), platform.store.instances());
}

AppCondition condition_of(const Platform& platform, const App& app) {
  auto targets = traffic_targets(platform);
  std::erase_if(targets, [&](const TrafficTarget& target) { return target.app != app.name; });
  return conditions_of(platform, {app}, targets, platform.store.instances(app.id)).at(app.name);
}

std::vector<std::string> problems_of(const AppCondition& condition) {
  std::vector<std::string> lines;
  for (const auto& instance : condition.instances) {
    if (runs(instance)) continue;
    const auto name = fmt::format("{}.{}", instance.name.type.str(), instance.name.number);
    switch (instance.condition) {
      case Condition::Crashing:
        lines.push_back(fmt::format("{} is crashing, next start in {}", name, format_duration(instance.retry_in)));
        break;
      case Condition::Starting:
        lines.push_back(fmt::format("{} is up, but does not accept connections", name));
        break;
      default:
        lines.push_back(fmt::format("{} is down", name));
    }
  }
  return lines;
}

std::string fallback_note(const Platform& platform, const App& app) {
  const auto live = app.live ? platform.store.deployment(app.id, *app.live) : std::nullopt;
  if (!live || rules_of(live->kind).watch != WatchRule::FallsBack) return {};
  return fmt::format("{} fell back from {}", app.name.str(), live->detail);
}

}  // namespace pushrod
