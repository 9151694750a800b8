// Takes what counts out of an app.json.
#include "config/app_json.hh"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/error.hh"
#include "base/text.hh"
#include "config/app_manifest.hh"
#include "config/cron_section.hh"
#include "config/manifest_rules.hh"
#include "model/environment.hh"
#include "model/names.hh"
#include "model/schedule.hh"

namespace pushrod {

namespace {

using Json = nlohmann::json;

const Json& member(const Json& object, const char* key) {
  static const Json kNothing;
  if (!object.is_object()) return kNothing;
  const auto found = object.find(key);
  return found == object.end() ? kNothing : *found;
}

std::string text_in(const Json& object, const char* key) {
  const auto& value = member(object, key);
  return value.is_string() ? value.get<std::string>() : std::string{};
}

bool is_setting(const std::string& name) {
  try {
    SettingName::parse(name);
    check_not_reserved(name);
    return true;
  } catch (const UserError&) {
    return false;
  }
}

bool is_command(const std::string& text) {
  try {
    check_command(text, "", "");
    return true;
  } catch (const UserError&) {
    return false;
  }
}

std::string text_of(const Json& value) {
  if (value.is_string()) return value.get<std::string>();
  return value.is_number() || value.is_boolean() ? value.dump() : std::string{};
}

void add_env(const Json& env, AppManifest& manifest) {
  if (!env.is_object()) return;
  for (const auto& [name, entry] : env.items()) {
    if (!is_setting(name)) {
      manifest.ignored.push_back("env." + name);
      continue;
    }
    const auto& value = entry.is_object() ? member(entry, "value") : entry;
    const auto& required = member(entry, "required");
    const bool is_optional = (required.is_boolean() && !required.get<bool>()) || required == "false";
    if (const auto text = text_of(value); !text.empty() && text.find('\0') == text.npos) {
      manifest.environment[name] = text;
    } else if (text_in(entry, "generator") == "secret") {
      manifest.generated_settings.push_back(name);
    } else if (entry.is_object() && !is_optional) {
      manifest.required_settings.push_back(name);
    }
  }
}

void add_formation(const Json& formation, AppManifest& manifest) {
  if (!formation.is_object()) return;
  for (const auto& [name, entry] : formation.items()) {
    const auto known = std::find_if(manifest.processes.begin(), manifest.processes.end(),
                                    [&name = name](const Process& process) { return process.type.str() == name; });
    const auto& quantity = member(entry, "quantity");
    if (known == manifest.processes.end() || !quantity.is_number_unsigned() || quantity > kMostInstances) {
      manifest.ignored.push_back("formation." + name);
      continue;
    }
    // What pushrod.toml says of a process is more than this.
    if (known->count == Process{.type = known->type, .command = {}, .health = {}}.count) known->count = quantity;
    if (member(entry, "size").is_string()) manifest.ignored.push_back(fmt::format("formation.{}.size", name));
  }
}

bool add_cron(const Json& entry, AppManifest& manifest) {
  Cron cron;
  cron.command = text_in(entry, "command");
  const auto policy = text_in(entry, "concurrency_policy");
  if (!is_command(cron.command) || policy == "replace" || member(entry, "maintenance") == true) return false;
  if (policy == "allow") cron.overlap = Cron::Overlap::Allow;
  try {
    cron.schedule = Schedule::parse(text_in(entry, "schedule")).str();
    cron.name = parse_process_type(name_for_command(cron.command), "").str();
  } catch (const UserError&) {
    return false;
  }
  const auto is_taken = [&](const auto& each) { return each.name == cron.name; };
  const bool is_type = std::any_of(manifest.processes.begin(), manifest.processes.end(),
                                   [&](const Process& process) { return process.type.str() == cron.name; });
  if (cron.name == "web" || is_type || std::any_of(manifest.crons.begin(), manifest.crons.end(), is_taken))
    return false;
  manifest.crons.push_back(std::move(cron));
  return true;
}

void add_crons(const Json& crons, AppManifest& manifest) {
  if (!crons.is_array()) return;
  for (std::size_t at = 0; at < crons.size() && at < 100; ++at) {
    if (!add_cron(crons[at], manifest)) manifest.ignored.push_back(fmt::format("cron[{}]", at));
  }
  std::sort(manifest.crons.begin(), manifest.crons.end(), [](const Cron& a, const Cron& b) { return a.name < b.name; });
}

void add_scripts(const Json& scripts, AppManifest& manifest) {
  if (!scripts.is_object()) return;
  if (const auto command = text_in(scripts, "postdeploy"); is_command(command)) manifest.first_command = command;
  const auto& dokku = member(scripts, "dokku");
  if (const auto command = text_in(dokku, "predeploy"); is_command(command)) {
    manifest.release_command = command + (manifest.release_command ? "\n" + *manifest.release_command : "");
  }
  if (!text_in(dokku, "postdeploy").empty()) manifest.ignored.emplace_back("scripts.dokku.postdeploy");
  for (const auto& [name, entry] : scripts.items()) {
    const bool is_known =
        name == "dokku" || name == "postdeploy" || name == "pr-predestroy" || name == "test" || name == "test-setup";
    if (!is_known) manifest.ignored.push_back("scripts." + name);
  }
}

void add_health(const Json& checks, AppManifest& manifest) {
  if (!checks.is_object()) return;
  for (const auto& [name, list] : checks.items()) {
    const auto known = std::find_if(manifest.processes.begin(), manifest.processes.end(),
                                    [&name = name](const Process& process) { return process.type.str() == name; });
    const bool is_web = known != manifest.processes.end() && known->is_routed() && list.is_array();
    bool is_taken = false;
    for (const auto& check : is_web ? list : Json::array()) {
      const auto path = text_in(check, "path");
      const auto type = text_in(check, "type");
      const bool is_plain =
          path.starts_with('/') && path.size() < 1000 &&
          std::all_of(path.begin(), path.end(), [](char c) { return c > ' ' && c < 0x7f && c != '#'; });
      if (!is_plain || is_taken || (!type.empty() && type != "startup" && type != "readiness")) continue;
      if (!known->health.path) known->health.path = path;
      is_taken = true;
    }
    if (!is_taken) manifest.ignored.push_back("healthchecks." + name);
  }
}

bool is_filled(const Json& value) {
  return !value.is_null() && !((value.is_structured() || value.is_string()) && value.empty());
}

}  // namespace

void add_app_json(const std::string& text, AppManifest& manifest) {
  const auto json = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object()) return;
  const auto known = manifest.crons;
  add_env(member(json, "env"), manifest);
  add_formation(member(json, "formation"), manifest);
  if (known.empty()) {
    add_crons(member(json, "cron"), manifest);
  } else if (is_filled(member(json, "cron"))) {
    manifest.ignored.emplace_back("cron, since pushrod.toml has some");
  }
  add_scripts(member(json, "scripts"), manifest);
  add_health(member(json, "healthchecks"), manifest);
  for (const char* key : {"addons", "buildpacks", "image", "stack"}) {
    if (is_filled(member(json, key))) manifest.ignored.emplace_back(key);
  }
}

}  // namespace pushrod
