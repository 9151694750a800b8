// An archive's description as JSON.
#include "model/archived_app.hh"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/error.hh"
#include "base/text.hh"
#include "model/source.hh"

namespace pushrod {

namespace {

using nlohmann::json;

constexpr const char* kFormat = "pushrod app";
constexpr std::uint64_t kMostDisk = std::uint64_t{1} << 60;
constexpr std::uint64_t kMostProcessors = 102'400;  // percent

json to_object(const Route& route) {
  return {{"host", route.point.host.str()},
          {"prefix", route.point.prefix.str()},
          {"strip_prefix", route.strip_prefix},
          {"redirect_to", route.redirect_to ? json(route.redirect_to->str()) : json(nullptr)},
          {"hsts_seconds", route.hsts ? json(route.hsts->count()) : json(nullptr)}};
}

Route route_from(const json& object) {
  Route route{{HostName::parse(object.at("host").get<std::string>()), {}}};
  if (const auto prefix = object.at("prefix").get<std::string>(); !prefix.empty()) {
    route.point.prefix = PathPrefix::parse(prefix);
  }
  route.strip_prefix = object.at("strip_prefix").get<bool>();
  if (const auto& to = object.at("redirect_to"); !to.is_null()) {
    route.redirect_to = HostName::parse(to.get<std::string>());
  }
  if (const auto& hsts = object.at("hsts_seconds"); !hsts.is_null()) {
    route.hsts = std::chrono::seconds(hsts.get<std::uint32_t>());
  }
  return route;
}

Source source_from(const json& object) {
  Source source{RepoName::parse(object.at("repo").get<std::string>()),
                BranchName::parse(object.at("branch").get<std::string>()),
                parse_app_path(object.at("path").get<std::string>())};
  if (const auto config = object.at("config").get<std::string>(); !config.empty()) {
    source.config = parse_config_path(config);
  }
  if (const auto& root = object.at("build_root"); !root.is_null()) {
    const auto text = root.get<std::string>();
    source.build_root = parse_build_root(text.empty() ? "." : text, source.path, BuildRootForm::InRepo);
  }
  return source;
}

json to_object(const ArchivedService& service) {
  json object{{"label", service.label},     {"key", service.key},       {"type", service.type},
              {"version", service.version}, {"memory", service.memory}, {"prefix", service.prefix},
              {"dump", service.has_dump}};
  if (service.tcp) object["tcp"] = true;
  if (service.disk != 0) object["disk"] = service.disk;
  if (service.cpu_percent != 0) object["cpu_percent"] = service.cpu_percent;
  return object;
}

// Absent: 0.
std::uint64_t limit_from(const json& object, const char* key, std::uint64_t most) {
  const auto limit = object.value(key, json(0U));
  if (!limit.is_number_unsigned() || limit.get<std::uint64_t>() > most) {
    throw Error(fmt::format("{} is not a whole number from 0 to {}", key, most));
  }
  return limit.get<std::uint64_t>();
}

ArchivedService service_from(const json& object) {
  ArchivedService service{.label = ServiceName::parse(object.at("label").get<std::string>()).str(),
                          .key = object.at("key").get<std::string>(),
                          .type = object.at("type").get<std::string>(),
                          .version = object.at("version").get<std::string>(),
                          .memory = object.at("memory").get<std::uint64_t>(),
                          .prefix = SettingName::parse(object.at("prefix").get<std::string>()).str(),
                          .has_dump = object.at("dump").get<bool>(),
                          .tcp = object.value("tcp", false),
                          .disk = limit_from(object, "disk", kMostDisk),
                          .cpu_percent = static_cast<unsigned>(limit_from(object, "cpu_percent", kMostProcessors))};
  if (!service.key.empty()) ServiceName::parse(service.key);
  return service;
}

void read_services(const json& list, ArchivedApp& app) {
  std::set<std::string> labels;
  for (const auto& object : list) {
    app.services.push_back(service_from(object));
    if (!labels.insert(app.services.back().label).second) throw Error("a service comes twice");
  }
}

void read_lists(const json& object, ArchivedApp& app) {
  const auto scopes = object.value("setting_scopes", json::object());
  for (const auto& [name, secret] : object.at("settings").items()) {
    auto& setting = app.settings[SettingName::parse(name)];
    setting.secret = secret.get<bool>();
    if (scopes.contains(name)) setting.scope = setting_scope_from(scopes.at(name).get<std::string>());
  }
  for (const auto& [type, count] : object.at("counts").items()) {
    app.counts.emplace(ProcessType::parse(type), count.get<std::uint32_t>());
  }
  for (const auto& cron : object.at("crons")) {
    app.crons.push_back({cron.at("name").get<std::string>(), cron.at("schedule").get<std::string>(),
                         from_epoch_milliseconds(cron.at("seen_ms").get<std::int64_t>())});
  }
  for (const auto& domain : object.at("domains")) app.domains.push_back(route_from(domain));
  for (const auto& host : object.at("certificates")) {
    app.certificates.push_back(HostName::parse(host.get<std::string>()));
  }
}

ArchivedApp app_from(const json& object) {
  ArchivedApp app{.name = AppName::parse(object.at("app").get<std::string>()), .source = source_from(object)};
  if (const auto& commit = object.at("commit"); !commit.is_null()) {
    app.commit = CommitId::parse(commit.get<std::string>());
  }
  object.at("version").get<unsigned>();
  app.deployed = object.at("deployed").get<bool>();
  app.stopped = object.at("stopped").get<bool>();
  app.maintenance = maintenance_from(object.at("maintenance").get<std::string>());
  app.maintenance_page = object.at("maintenance_page").get<std::string>();
  if (object.contains("access")) app.access = access_rules_from_json(object.at("access").dump());
  app.made = from_epoch_milliseconds(object.at("made_ms").get<std::int64_t>());
  read_lists(object, app);
  if (object.contains("services")) read_services(object.at("services"), app);
  if (app.deployed && !app.commit) throw Error("it was deployed, and has no commit");
  return app;
}

unsigned version_for(const ArchivedApp& app) {
  const auto is_limited = [](const ArchivedService& one) { return one.disk != 0 || one.cpu_percent != 0; };
  if (std::any_of(app.services.begin(), app.services.end(), is_limited)) return 3;
  return app.services.empty() ? 1 : 2;
}

}  // namespace

std::string to_json(const ArchivedApp& app) {
  json settings = json::object(), counts = json::object(), crons = json::array(), domains = json::array();
  json certificates = json::array(), scopes = json::object();
  for (const auto& [name, setting] : app.settings) {
    settings[name.str()] = setting.secret;
    if (setting.scope != SettingScope::Both) scopes[name.str()] = to_string(setting.scope);
  }
  for (const auto& [type, count] : app.counts) counts[type.str()] = count;
  for (const auto& cron : app.crons) {
    crons.push_back({{"name", cron.name}, {"schedule", cron.schedule}, {"seen_ms", to_epoch_milliseconds(cron.seen)}});
  }
  for (const auto& route : app.domains) domains.push_back(to_object(route));
  for (const auto& host : app.certificates) certificates.push_back(host.str());
  auto services = json::array();
  for (const auto& service : app.services) services.push_back(to_object(service));
  nlohmann::ordered_json object{{"format", kFormat},
                                {"version", version_for(app)},
                                {"made_ms", to_epoch_milliseconds(app.made)},
                                {"app", app.name.str()},
                                {"repo", app.source.repo.str()},
                                {"branch", app.source.branch.str()},
                                {"path", app.source.path},
                                {"config", app.source.config},
                                {"build_root", app.source.build_root ? json(*app.source.build_root) : json(nullptr)},
                                {"commit", app.commit ? json(app.commit->str()) : json(nullptr)},
                                {"deployed", app.deployed},
                                {"stopped", app.stopped},
                                {"maintenance", std::string(to_string(app.maintenance))},
                                {"maintenance_page", app.maintenance_page},
                                {"access", json::parse(to_json(app.access))},
                                {"settings", settings},
                                {"counts", counts},
                                {"crons", crons},
                                {"domains", domains},
                                {"certificates", certificates}};
  if (!scopes.empty()) object["setting_scopes"] = scopes;
  if (!app.services.empty()) object["services"] = services;
  return object.dump(2, ' ', false, json::error_handler_t::replace) + "\n";
}

std::string dump_member(const ArchivedService& service) { return fmt::format("services/{}.dump", service.label); }

ArchivedApp archived_app_from_json(const std::string& text) {
  const auto object = json::parse(text, nullptr, false);
  if (!object.is_object() || object.value("format", json()) != kFormat) {
    throw UserError("this is not an archive of an app", "make one with: app export APP > app.tar");
  }
  const auto version = object.value("version", json());
  if (version.is_number_unsigned() && version.get<std::uint64_t>() > kArchiveVersion) {
    throw UserError(fmt::format("the archive has version {} of the format; this Pushrod reads up to {}",
                                version.get<std::uint64_t>(), kArchiveVersion),
                    "import it with a newer Pushrod");
  }
  try {
    return app_from(object);
  } catch (const json::exception& error) {
    throw UserError(fmt::format("the archive is damaged: pushrod-app.json: {}", escaped(error.what())),
                    "make it again: app export APP > app.tar");
  } catch (const Error& error) {
    throw UserError("the archive is damaged: pushrod-app.json: " + error.message(),
                    "make it again: app export APP > app.tar");
  }
}

}  // namespace pushrod
