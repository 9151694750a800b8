// Changes to and from messages.
#include "deploy/change_message.hh"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/error.hh"
#include "base/text.hh"

namespace pushrod {

namespace {

using nlohmann::json;

template <class Name>
json text_of(const std::optional<Name>& name) {
  return name ? json(name->str()) : json();
}

template <class Name>
std::optional<Name> name_in(const json& value) {
  return value.is_null() ? std::nullopt : std::optional(Name::parse(value.get<std::string>()));
}

template <class Value>
std::optional<Value> value_in(const json& value) {
  return value.is_null() ? std::nullopt : std::optional(value.get<Value>());
}

json message_of(const SettingChanges& changes) {
  auto message = json::object();
  for (const auto& [name, setting] : changes) {
    auto& entry = message[name.str()];
    if (!setting) continue;  // null: it is unset
    entry = {{"sealed", json::binary({setting->sealed.begin(), setting->sealed.end()})},
             {"secret", setting->secret},
             {"scope", to_string(setting->scope)}};
  }
  return message;
}

SettingChanges settings_in(const json& message) {
  SettingChanges changes;
  for (const auto& [name, entry] : message.items()) {
    std::optional<AppSetting> setting;
    if (!entry.is_null()) {
      const auto& sealed = entry.at("sealed").get_binary();
      setting = AppSetting{{sealed.begin(), sealed.end()},
                           entry.at("secret").get<bool>(),
                           0,
                           setting_scope_from(entry.at("scope").get<std::string>())};
    }
    changes.emplace(SettingName::parse(name), std::move(setting));
  }
  return changes;
}

json message_of(const ServiceChange& change) {
  return {{"service", change.service.str()},
          {"kind", static_cast<int>(change.kind)},
          {"prefix", change.prefix},
          {"database", change.database},
          {"tcp", change.tcp}};
}

ServiceChange service_change_in(const json& message) {
  return {ServiceName::parse(message.at("service").get<std::string>()),
          static_cast<ServiceChange::Kind>(message.at("kind").get<int>()), message.at("prefix").get<std::string>(),
          message.at("database").get<std::string>(), message.value("tcp", false)};
}

json message_of(const Source& source) {
  return {{"repo", source.repo.str()},
          {"branch", source.branch.str()},
          {"path", source.path},
          {"config", source.config},
          {"build_root", source.build_root ? json(*source.build_root) : json()},
          {"manifest_root", source.manifest_root}};
}

Source source_in(const json& message) {
  return {RepoName::parse(message.at("repo").get<std::string>()),
          BranchName::parse(message.at("branch").get<std::string>()),
          message.at("path").get<std::string>(),
          message.at("config").get<std::string>(),
          value_in<std::string>(message.at("build_root")),
          message.at("manifest_root").get<bool>()};
}

std::vector<App> apps_in(Store& store, const json& ids) {
  std::vector<App> apps;
  for (const auto& id : ids) {
    auto app = store.app(id.get<AppId>());
    if (!app) throw UserError("the app was destroyed in the meantime");
    apps.push_back(*std::move(app));
  }
  if (apps.empty()) throw Error("a change must name at least one app");
  return apps;
}

Change read(Store& store, const json& message) {
  Change change{deployment_kind_from(message.at("kind").get<std::string>()),
                RepoName::parse(message.at("repo").get<std::string>()),
                BranchName::parse(message.at("branch").get<std::string>()),
                apps_in(store, message.at("apps")),
                name_in<CommitId>(message.at("commit")),
                name_in<CommitId>(message.at("previous")),
                message.at("author").get<std::string>(),
                message.at("detail").get<std::string>(),
                message.at("rebuild").get<bool>(),
                message.at("no_cache").get<bool>()};
  change.settings = settings_in(message.at("settings"));
  if (const auto& service = message.at("service"); !service.is_null()) change.service = service_change_in(service);
  for (const auto& [type, count] : message.at("counts").items()) {
    change.counts.emplace(ProcessType::parse(type), count.get<std::uint32_t>());
  }
  change.only = name_in<ProcessType>(message.at("only"));
  for (const auto& [app, release] : message.at("releases").get<std::vector<std::pair<AppId, ReleaseNumber>>>()) {
    change.releases.emplace(app, release);
  }
  change.new_name = name_in<AppName>(message.at("new_name"));
  if (const auto& source = message.at("source"); !source.is_null()) change.source = source_in(source);
  change.watched = value_in<std::int64_t>(message.at("watched"));
  return change;
}

}  // namespace

json to_message(const Change& change) {
  json message = {
      {"kind", to_string(change.kind)},
      {"repo", change.repo.str()},
      {"branch", change.branch.str()},
      {"apps", json::array()},
      {"commit", text_of(change.commit)},
      {"previous", text_of(change.previous)},
      {"author", change.author},
      {"detail", change.detail},
      {"rebuild", change.rebuild},
      {"no_cache", change.no_cache},
      {"settings", message_of(change.settings)},
      {"service", change.service ? message_of(*change.service) : json()},
      {"counts", json::object()},
      {"only", text_of(change.only)},
      {"releases", std::vector<std::pair<AppId, ReleaseNumber>>(change.releases.begin(), change.releases.end())},
      {"new_name", text_of(change.new_name)},
      {"source", change.source ? message_of(*change.source) : json()},
      {"watched", change.watched ? json(*change.watched) : json()}};
  for (const auto& app : change.apps) message["apps"].push_back(app.id);
  for (const auto& [type, count] : change.counts) message["counts"][type.str()] = count;
  return message;
}

Change change_from_message(Store& store, const json& message) {
  try {
    return read(store, message);
  } catch (const json::exception& error) {
    throw Error(fmt::format("a change cannot be read: {}", escaped(error.what())));
  }
}

}  // namespace pushrod
