#include "operate/settings.hh"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/error.hh"
#include "base/text.hh"
#include "model/environment.hh"
#include "operate/audit.hh"
#include "os/file_lock.hh"
#include "os/files.hh"

namespace pushrod {

namespace {

// The kernel accepts strings of up to 128 kB, with the name, "=" and the final NUL (MAX_ARG_STRLEN in execve(2)); the
// shim needs one byte more (src/shim/README.md).
constexpr std::size_t kLongestVariable = (128 << 10) - 3;
constexpr std::size_t kLargestEnvironment = 700 << 10;

void check_value(const SettingName& name, const Secret& value) {
  check_not_reserved(name.str());
  check_variable(name.str(), value.reveal());
  const auto& text = value.reveal();
  if (text.find('\0') != std::string::npos) {
    throw UserError(
        fmt::format("the value of {} contains a NUL byte, which is not allowed in environment variables", name.str()));
  }
  if (name.str().size() + text.size() > kLongestVariable) {
    throw UserError(fmt::format("the value of {} is too long: {}", name.str(), format_bytes(text.size())),
                    "the limit is 128 kB for the name and the value; store longer values in a file in /data");
  }
}

// Absent when the key that sealed it is lost: setting it again repairs that.
std::optional<Secret> opened(const Vault& vault, AppId app, const SettingName& name, const AppSetting& setting) {
  try {
    return vault.open(app, name, setting.sealed);
  } catch (const Error&) {
    return std::nullopt;
  }
}

void check_total(const Vault& vault, AppId app, const AppSettings& settings) {
  std::size_t total = 0;
  for (const auto& [name, setting] : settings) {
    if (const auto value = opened(vault, app, name, setting)) total += name.str().size() + value->reveal().size();
  }
  if (total > kLargestEnvironment) {
    throw UserError(fmt::format("the settings together would be too long: {}", format_bytes(total)),
                    fmt::format("the limit for all settings of an app is {}; store some of them in files in /data",
                                format_bytes(kLargestEnvironment)));
  }
}

// "set A, B, unset C"
std::string described(const SettingChanges& changes) {
  std::vector<std::string> set, unset, parts;
  for (const auto& [name, setting] : changes) (setting ? set : unset).push_back(name.str());
  if (!set.empty()) parts.push_back("set " + join(set, ", "));
  if (!unset.empty()) parts.push_back("unset " + join(unset, ", "));
  return join(parts, ", ");
}

// Whether nothing would change; for a change that takes effect now, neither in the live release.
bool is_already_so(Session& session, const App& app, const SettingChanges& changes, When when) {
  auto& store = session.store();
  const auto has_all = [&](const AppSettings& settings) { return with_changes(settings, changes) == settings; };
  if (!has_all(store.settings(app.id))) return false;
  return when == When::NextRelease || !app.live || has_all(store.release(app.id, *app.live).value().settings);
}

void save(Session& session, const App& app, const SettingChanges& changes) {
  auto& store = session.store();
  audited(session, {app.name.str(), "config", described(changes) + " (for the next release)"}, [&] {
    make_directory(session.layout().locks());
    const auto lock = FileLock::acquire(session.layout().app_lock(app.name));
    lock.announce("a change of settings of " + app.name.str());
    store.set_settings(app.id, with_changes(store.settings(app.id), changes));
  });
}

// What processes get.
AppSettings at_run_time(const AppSettings& settings) {
  auto seen = visible_at_run_time(settings);
  for (auto& [name, setting] : seen) setting.scope = SettingScope::Both;
  return seen;
}

bool is_for_builds_alone(Session& session, const App& app, const SettingChanges& changes) {
  if (!app.live) return false;
  const auto live = session.store().release(app.id, *app.live).value().settings;
  return at_run_time(live) == at_run_time(with_changes(live, changes));
}

SettingsChange change_settings(Session& session, const App& app, const SettingChanges& changes, When when) {
  auto& store = session.store();
  SettingsChange result;
  for (const auto& [name, setting] : changes) result.names.push_back(name.str());
  result.what = described(changes);
  if (is_already_so(session, app, changes, when)) return result;
  check_total(store.vault(), app.id, with_changes(store.settings(app.id), changes));
  result.is_for_build = is_for_builds_alone(session, app, changes);
  if (when == When::NextRelease || !app.live || result.is_for_build) {
    save(session, app, changes);
    result.is_saved = true;
    return result;
  }
  result.change = change_of(session, app, DeploymentKind::Config);
  result.change->settings = changes;
  result.change->detail = result.what;
  return result;
}

AppSetting sealed(const Vault& vault, const App& app, const AppSettings& known, const NewSetting& setting) {
  const auto& [name, value, is_secret, asked_scope] = setting;
  check_value(name, value);
  const bool secret = is_secret || looks_secret(name);
  const auto before = known.find(name);
  if (before == known.end()) {
    return {vault.seal(app.id, name, value), secret, 0, asked_scope.value_or(SettingScope::Both)};
  }
  // Sealed again, the same value would look like another one.
  const auto old = opened(vault, app.id, name, before->second);
  const bool is_same = old && old->reveal() == value.reveal();
  return {is_same ? before->second.sealed : vault.seal(app.id, name, value), secret || before->second.secret, 0,
          asked_scope.value_or(before->second.scope)};
}

// What comes from a service follows its attachment.
void check_not_of_service(Session& session, const App& app, const AppSettings& known, const SettingName& name) {
  const auto setting = known.find(name);
  if (setting == known.end() || setting->second.service == 0) return;
  const auto service = session.store().service(setting->second.service);
  const auto shown = service ? service->name.str() : "SERVICE";
  throw UserError(fmt::format("setting {} comes from service {}", name.str(), shown),
                  fmt::format("to remove it: service detach {} {}", shown, app.name.str()));
}

UserError not_set(const App& app, const SettingName& name) {
  return UserError(fmt::format("app {} has no setting {}", app.name.str(), name.str()),
                   fmt::format("`config list {}` shows its settings", app.name.str()));
}

}  // namespace

Json to_json(const SettingLine& line) {
  return {{"name", line.name},
          {"value", line.value ? Json(*line.value) : Json(nullptr)},
          {"secret", !line.value},
          {"pending", line.is_pending},
          {"scope", to_string(line.scope)}};
}

Json to_json(const SettingsView& view) {
  auto list = Json::array();
  for (const auto& line : view.settings) list.push_back(to_json(line));
  return list;
}

SettingsView list_settings(Session& session, const AppName& app_name) {
  const auto app = session.require_app(app_name, Right::Deploy);
  const auto& vault = session.store().vault();
  const auto release = app.live ? session.store().release(app.id, *app.live) : std::nullopt;
  const auto settings = session.store().settings(app.id);
  SettingsView view;
  for (const auto& [name, setting] : settings) {
    SettingLine line{name.str(), std::nullopt, false, setting.scope};
    if (!setting.secret) line.value = vault.open(app.id, name, setting.sealed).reveal();
    if (release) {
      const auto live = release->settings.find(name);
      line.is_pending = live == release->settings.end() || live->second.sealed != setting.sealed ||
                        live->second.scope != setting.scope;
    }
    view.settings.push_back(std::move(line));
  }
  if (!release) return view;
  for (const auto& [name, setting] : release->settings) {
    if (!settings.contains(name)) view.pending_removal.push_back(name.str());
  }
  return view;
}

Secret setting_value(Session& session, const AppName& app_name, const SettingName& name) {
  const auto app = session.require_app(app_name, Right::Deploy);
  const auto settings = session.store().settings(app.id);
  const auto setting = settings.find(name);
  if (setting == settings.end()) throw not_set(app, name);
  return session.store().vault().open(app.id, name, setting->second.sealed);
}

DotenvEntries setting_values(Session& session, const AppName& app_name) {
  const auto app = session.require_app(app_name, Right::Deploy);
  DotenvEntries entries;
  for (const auto& [name, setting] : session.store().settings(app.id)) {
    entries.emplace_back(name, session.store().vault().open(app.id, name, setting.sealed));
  }
  return entries;
}

SettingsChange set_settings(Session& session, const AppName& app_name, const std::vector<NewSetting>& settings,
                            When when) {
  const auto app = session.require_app(app_name, Right::Deploy);
  const auto known = session.store().settings(app.id);
  SettingChanges changes;
  for (const auto& setting : settings) {
    check_not_of_service(session, app, known, setting.name);
    if (!changes.emplace(setting.name, sealed(session.store().vault(), app, known, setting)).second) {
      throw UserError(fmt::format("setting {} is given twice", setting.name.str()), "give each name once");
    }
  }
  return change_settings(session, app, changes, when);
}

SettingsChange unset_settings(Session& session, const AppName& app_name, const std::vector<SettingName>& names,
                              When when) {
  const auto app = session.require_app(app_name, Right::Deploy);
  const auto known = session.store().settings(app.id);
  SettingChanges changes;
  for (const auto& name : names) {
    if (!known.contains(name)) throw not_set(app, name);
    check_not_of_service(session, app, known, name);
    changes.emplace(name, std::nullopt);
  }
  return change_settings(session, app, changes, when);
}

}  // namespace pushrod
