// The process table of a release as JSON, in which the database keeps it.
// Reading is strict: what does not have exactly the expected form was not written by us.
#include "model/process.hh"

#include <fmt/format.h>

#include <limits>
#include <nlohmann/json.hpp>

#include "base/error.hh"
#include "model/words.hh"

namespace pushrod {

namespace {

using nlohmann::json;

constexpr Words<Cron::Overlap, 3> kOverlaps{
    "way to overlap",
    {{{Cron::Overlap::Skip, "skip"}, {Cron::Overlap::Wait, "wait"}, {Cron::Overlap::Allow, "allow"}}}};

json to_object(const Limits& limits) {
  json object = json::object();
  if (limits.memory) object["memory"] = *limits.memory;
  if (limits.cpu_percent) object["cpu_percent"] = *limits.cpu_percent;
  if (limits.processes) object["processes"] = *limits.processes;
  if (limits.open_files) object["open_files"] = *limits.open_files;
  return object;
}

json to_object(const Cron& cron) {
  return {{"name", cron.name},         {"schedule", cron.schedule},
          {"command", cron.command},   {"overlap", kOverlaps.word(cron.overlap)},
          {"timezone", cron.timezone}, {"timeout_ms", cron.timeout.count()}};
}

json to_object(const std::string& path) { return path; }

json to_object(const Process& process) {
  json health{{"timeout_ms", process.health.timeout.count()}};
  if (process.health.path) health["path"] = *process.health.path;
  if (process.health.settle) health["settle_ms"] = process.health.settle->count();
  if (process.health.watch) health["watch_ms"] = process.health.watch->count();
  json object{{"type", process.type.str()},
              {"command", process.command},
              {"count", process.count},
              {"overlap", process.overlap},
              {"stop_timeout_ms", process.stop_timeout.count()},
              {"drain_timeout_ms", process.drain_timeout.count()},
              {"health", std::move(health)}};
  if (process.is_scaled) object["scaled"] = true;
  if (process.limits != Limits{}) object["limits"] = to_object(process.limits);
  if (!process.ports.empty()) object["ports"] = process.ports;
  if (process.sticky) object["sticky"] = true;
  if (process.h2) object["h2"] = true;
  if (process.http != HttpRules{}) object["http"] = to_json(process.http);
  if (process.sleep_after) object["sleep_after_ms"] = process.sleep_after->count();
  return object;
}

std::uint64_t whole_number(const json& value, std::uint64_t most) {
  // Not compared as JSON values: those compare as signed.
  if (!value.is_number_unsigned() || value.get<std::uint64_t>() > most) {
    throw Error(fmt::format("{} is not a whole number from 0 to {}", value.dump(), most));
  }
  return value.get<std::uint64_t>();
}

Milliseconds milliseconds(const json& value) {
  return Milliseconds{whole_number(value, std::numeric_limits<Milliseconds::rep>::max())};
}

std::uint32_t count(const json& value) {
  return static_cast<std::uint32_t>(whole_number(value, std::numeric_limits<std::uint32_t>::max()));
}

std::vector<Port> ports_from(const json& array) {
  std::vector<Port> ports;
  for (const json& port : array) {
    ports.push_back(static_cast<Port>(whole_number(port, std::numeric_limits<Port>::max())));
  }
  return ports;
}

Limits limits_from(const json& object) {
  constexpr auto kMost = std::numeric_limits<std::uint64_t>::max();
  Limits limits;
  if (object.contains("memory")) limits.memory = whole_number(object.at("memory"), kMost);
  if (object.contains("cpu_percent")) limits.cpu_percent = count(object.at("cpu_percent"));
  if (object.contains("processes")) limits.processes = count(object.at("processes"));
  if (object.contains("open_files")) limits.open_files = whole_number(object.at("open_files"), kMost);
  return limits;
}

Cron cron_from(const json& object) {
  return {.name = object.at("name").get<std::string>(),
          .schedule = object.at("schedule").get<std::string>(),
          .command = object.at("command").get<std::string>(),
          .overlap = kOverlaps.value(object.at("overlap").get<std::string>()),
          .timeout = milliseconds(object.at("timeout_ms")),
          .timezone = object.at("timezone").get<std::string>()};
}

Process from_object(const json& object) {
  Process process{.type = ProcessType::parse(object.at("type").get<std::string>()),
                  .command = object.at("command").get<std::string>(),
                  .health = {},
                  .limits = {},
                  .sleep_after = {}};
  process.count = count(object.at("count"));
  process.overlap = object.at("overlap").get<bool>();
  process.stop_timeout = milliseconds(object.at("stop_timeout_ms"));
  process.drain_timeout = milliseconds(object.at("drain_timeout_ms"));
  const json& health = object.at("health");
  process.health.timeout = milliseconds(health.at("timeout_ms"));
  if (health.contains("path")) process.health.path = health.at("path").get<std::string>();
  if (health.contains("settle_ms")) process.health.settle = milliseconds(health.at("settle_ms"));
  if (health.contains("watch_ms")) process.health.watch = milliseconds(health.at("watch_ms"));
  process.is_scaled = object.value("scaled", false);
  if (object.contains("limits")) process.limits = limits_from(object.at("limits"));
  if (object.contains("ports")) process.ports = ports_from(object.at("ports"));
  process.sticky = object.value("sticky", false);
  process.h2 = object.value("h2", false);
  if (object.contains("http")) process.http = http_rules_from_json(object.at("http").get<std::string>());
  if (object.contains("sleep_after_ms")) process.sleep_after = milliseconds(object.at("sleep_after_ms"));
  return process;
}

ProcessTable from_array(const json& array) {
  if (!array.is_array()) throw Error("it is not a list");
  ProcessTable processes;
  for (const json& object : array) {
    Process process = from_object(object);
    if (!processes.empty() && processes.back().type >= process.type) throw Error("it is not sorted by unique type");
    processes.push_back(std::move(process));
  }
  return processes;
}

WritablePaths paths_from_array(const json& array) {
  if (!array.is_array()) throw Error("it is not a list");
  WritablePaths paths;
  for (const json& path : array) paths.push_back(path.get<std::string>());
  return paths;
}

CronTable crons_from_array(const json& array) {
  if (!array.is_array()) throw Error("it is not a list");
  CronTable crons;
  for (const json& object : array) crons.push_back(cron_from(object));
  return crons;
}

template <class Table>
std::string written(std::string_view what, const Table& table) {
  try {
    json array = json::array();
    for (const auto& entry : table) array.push_back(to_object(entry));
    return array.dump();
  } catch (const json::exception& broken) {
    throw Error(fmt::format("the {} cannot be written as JSON: {}", what, broken.what()));
  }
}

template <class Read>
auto read_stored(std::string_view what, const std::string& text, Read read) {
  const auto refuse = [&](std::string_view reason) -> Error {
    return Error(fmt::format("the stored {} cannot be read: {}", what, reason));
  };
  try {
    return read(json::parse(text));
  } catch (const json::exception& broken) {
    throw refuse(broken.what());
  } catch (const Error& broken) {
    throw refuse(broken.message());
  }
}

}  // namespace

std::string to_json(const ProcessTable& processes) { return written("process table", processes); }
std::string to_json(const CronTable& crons) { return written("cron table", crons); }
std::string to_json(const WritablePaths& paths) { return written("list of writable paths", paths); }

ProcessTable processes_from_json(const std::string& text) { return read_stored("process table", text, from_array); }
CronTable crons_from_json(const std::string& text) { return read_stored("cron table", text, crons_from_array); }
WritablePaths writable_from_json(const std::string& text) {
  return read_stored("list of writable paths", text, paths_from_array);
}

}  // namespace pushrod
