// The platform itself as an archive.
#include "deploy/platform_archive.hh"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/error.hh"
#include "deploy/backup.hh"
#include "os/files.hh"

namespace pushrod {

namespace {

using nlohmann::json;

constexpr const char* kFormat = "pushrod platform";
constexpr unsigned kVersion = 1;
constexpr std::size_t kLargestDescription = std::size_t{16} << 20;
constexpr std::size_t kLargestFile = std::size_t{1} << 20;

json describe(const Platform& platform) {
  auto apps = json::array(), services = json::array(), keys = json::array(), targets = json::array(),
       schedules = json::array();
  for (const auto& app : platform.store.apps()) apps.push_back(app.name.str());
  for (const auto& service : services_by_themselves(platform.store)) services.push_back(service.name.str());
  for (const auto& key : platform.store.keys()) {
    auto its_apps = json::array();
    for (const auto& app : key.apps) its_apps.push_back(app.str());
    keys.push_back({{"name", key.name.str()},
                    {"public_key", key.public_key},
                    {"fingerprint", key.fingerprint},
                    {"role", std::string(to_string(key.role))},
                    {"all_apps", key.all_apps},
                    {"apps", its_apps}});
  }
  for (const auto& target : platform.store.backup_targets()) {
    targets.push_back({{"name", target.name},
                       {"url", target.url},
                       {"credentials", platform.store.vault().open_target(target.name, target.sealed).reveal()}});
  }
  for (const auto& schedule : platform.store.backup_schedules()) {
    schedules.push_back({{"app", key_of(schedule.of)},
                         {"target", schedule.target},
                         {"schedule", schedule.schedule},
                         {"keep", schedule.retention.count},
                         {"keep_seconds", schedule.retention.age.count()}});
  }
  return {{"format", kFormat},  {"version", kVersion},   {"made_ms", to_epoch_milliseconds(now())},
          {"apps", apps},       {"services", services},  {"keys", keys},
          {"targets", targets}, {"schedules", schedules}};
}

// Small files of the root that go with it: the secret part of the transfer holds copies, below settings/.
std::vector<fs::path> files_of(const Layout& layout) {
  std::vector<fs::path> files;
  for (const auto* name : {"server.toml", "ssh/host_ed25519_key", "ssh/host_ed25519_key.pub"}) files.emplace_back(name);
  std::error_code error;
  for (fs::recursive_directory_iterator at(layout.acme(), error), end; !error && at != end; at.increment(error)) {
    if (is_plain_file(at->path())) files.push_back(fs::relative(at->path(), layout.root()));
  }
  return files;
}

bool is_known_file(const fs::path& file) {
  const auto text = file.string();
  return text == "server.toml" || text == "ssh/host_ed25519_key" || text == "ssh/host_ed25519_key.pub" ||
         (text.starts_with("certificates/acme/") && text.find("..") == text.npos);
}

ArchivedPlatform platform_from(const json& object) {
  ArchivedPlatform platform;
  platform.made = from_epoch_milliseconds(object.at("made_ms").get<std::int64_t>());
  platform.apps = object.at("apps").get<std::vector<std::string>>();
  platform.services = object.value("services", std::vector<std::string>{});
  for (const auto& key : object.at("keys")) {
    platform.keys.push_back({key.at("name").get<std::string>(), key.at("public_key").get<std::string>(),
                             key.at("fingerprint").get<std::string>(), role_from(key.at("role").get<std::string>()),
                             key.at("all_apps").get<bool>(), key.at("apps").get<std::vector<std::string>>()});
  }
  for (const auto& target : object.at("targets")) {
    platform.targets.push_back({target.at("name").get<std::string>(), target.at("url").get<std::string>(),
                                target.at("credentials").get<std::string>()});
  }
  for (const auto& one : object.at("schedules")) {
    platform.schedules.push_back(
        {subject_from_key(one.at("app").get<std::string>()),
         one.at("target").get<std::string>(),
         one.at("schedule").get<std::string>(),
         {one.at("keep").get<unsigned>(), std::chrono::seconds(one.at("keep_seconds").get<std::int64_t>())},
         now()});
  }
  return platform;
}

}  // namespace

PackList prepare_platform_archive(const Platform& platform, const Transfer& transfer) {
  PackList list;
  make_directory(transfer.secrets() / "settings");
  auto description = describe(platform);
  auto files = json::array();
  unsigned count = 0;
  for (const auto& file : files_of(platform.layout)) {
    const auto content = read_file(platform.layout.root() / file, kLargestFile);
    if (!content) continue;
    const auto member = fmt::format("settings/{}", count++);
    write_file(transfer.secrets() / member, *content, 0600, false);
    list.secrets.push_back(member);
    files.push_back(file.string());
  }
  description["files"] = files;
  write_file(transfer.secrets() / "settings" / "platform.json",
             description.dump(2, ' ', false, json::error_handler_t::replace), 0600, false);
  list.secrets.insert(list.secrets.begin(), "settings/platform.json");
  return list;
}

ArchivedPlatform read_platform_archive(const Transfer& transfer) {
  const auto text = read_file(transfer.secrets() / "settings" / "platform.json", kLargestDescription, false);
  const auto object = json::parse(text.value_or(""), nullptr, false);
  if (!object.is_object() || object.value("format", json()) != kFormat || object.value("version", 0U) > kVersion) {
    throw UserError("the backup of the platform cannot be read by this Pushrod", "use a newer Pushrod");
  }
  try {
    return platform_from(object);
  } catch (const json::exception& error) {
    throw UserError(fmt::format("the backup of the platform is damaged: {}", error.what()));
  }
}

void place_platform(const Layout& layout, Store& store, const Transfer& transfer, const ArchivedPlatform& platform) {
  const auto secrets = transfer.secrets() / "settings";
  const auto object = json::parse(read_file(secrets / "platform.json", kLargestDescription, false).value());
  unsigned count = 0;
  for (const auto& name : object.at("files")) {
    const fs::path file = name.get<std::string>();
    const auto content = read_file(secrets / std::to_string(count++), kLargestFile, false);
    if (!content || !is_known_file(file)) continue;
    make_directory((layout.root() / file).parent_path());
    write_file(layout.root() / file, *content, file.extension() == ".pub" ? 0644 : 0600);
  }
  store.together([&] {
    const auto there = store.backup_targets();
    for (const auto& target : platform.targets) {
      const auto is_it = [&](const BackupTarget& other) { return other.name == target.name; };
      if (std::any_of(there.begin(), there.end(), is_it)) continue;
      store.add_backup_target(
          {target.name, target.url, store.vault().seal_target(target.name, target.credentials), now()});
    }
    for (const auto& schedule : platform.schedules) store.set_backup_schedule(schedule);
  });
  add_missing_keys(store, platform);
}

void add_missing_keys(Store& store, const ArchivedPlatform& platform) {
  std::set<std::string> known;
  for (const auto& key : store.keys()) {
    known.insert(key.name.str());
    known.insert(key.public_key);
  }
  for (const auto& key : platform.keys) {
    if (known.contains(key.name) || known.contains(key.public_key)) continue;
    std::vector<AppName> apps;
    for (const auto& name : key.apps) {
      if (const auto app = store.app(AppName::parse(name))) apps.push_back(app->name);
    }
    // Without apps a key would be for all of them.
    if (!key.all_apps && apps.empty()) continue;
    store.add_key(KeyName::parse(key.name), key.public_key, key.fingerprint, key.role, apps);
  }
}

}  // namespace pushrod
