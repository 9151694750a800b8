// The process table of a release as JSON, in which the database keeps it.
// Floor 2. Reading is strict: what does not have exactly the expected form was not written by us.
#include "model/process.hh"

#include <fmt/format.h>

#include <limits>
#include <nlohmann/json.hpp>

#include "base/error.hh"

namespace pushrod {

namespace {

using nlohmann::json;

json to_object(const Process& process) {
  json health{{"timeout_ms", process.health.timeout.count()}};
  if (process.health.path) health["path"] = *process.health.path;
  return {{"type", process.type.str()},
          {"command", process.command},
          {"count", process.count},
          {"overlap", process.overlap},
          {"stop_timeout_ms", process.stop_timeout.count()},
          {"drain_timeout_ms", process.drain_timeout.count()},
          {"health", std::move(health)}};
}

std::uint64_t whole_number(const json& value, std::uint64_t most) {
  // Not compared as JSON values: those compare as signed.
  if (!value.is_number_unsigned() || value.get<std::uint64_t>() > most) {
    throw Error(fmt::format("{} is no whole number from 0 to {}", value.dump(), most));
  }
  return value.get<std::uint64_t>();
}

Milliseconds milliseconds(const json& value) {
  return Milliseconds{whole_number(value, std::numeric_limits<Milliseconds::rep>::max())};
}

std::uint32_t count(const json& value) {
  return static_cast<std::uint32_t>(whole_number(value, std::numeric_limits<std::uint32_t>::max()));
}

Process from_object(const json& object) {
  Process process{.type = ProcessType::parse(object.at("type").get<std::string>()),
                  .command = object.at("command").get<std::string>(),
                  .health = {}};
  process.count = count(object.at("count"));
  process.overlap = object.at("overlap").get<bool>();
  process.stop_timeout = milliseconds(object.at("stop_timeout_ms"));
  process.drain_timeout = milliseconds(object.at("drain_timeout_ms"));
  const json& health = object.at("health");
  process.health.timeout = milliseconds(health.at("timeout_ms"));
  if (health.contains("path")) process.health.path = health.at("path").get<std::string>();
  return process;
}

ProcessTable from_array(const json& array) {
  if (!array.is_array()) throw Error("it is no list");
  ProcessTable processes;
  for (const json& object : array) {
    Process process = from_object(object);
    if (!processes.empty() && processes.back().type >= process.type) throw Error("it is not sorted by unique type");
    processes.push_back(std::move(process));
  }
  return processes;
}

}  // namespace

std::string to_json(const ProcessTable& processes) {
  try {
    json table = json::array();
    for (const Process& process : processes) table.push_back(to_object(process));
    return table.dump();
  } catch (const json::exception& broken) {
    throw Error(fmt::format("the process table cannot be written as JSON: {}", broken.what()));
  }
}

ProcessTable processes_from_json(const std::string& text) {
  const auto refuse = [](std::string_view reason) -> Error {
    return Error(fmt::format("the stored process table cannot be read: {}", reason));
  };
  try {
    return from_array(json::parse(text));
  } catch (const json::exception& broken) {
    throw refuse(broken.what());
  } catch (const Error& broken) {
    throw refuse(broken.message());
  }
}

}  // namespace pushrod
