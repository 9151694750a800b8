#include "operate/keys.hh"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/error.hh"
#include "base/text.hh"
#include "deploy/traffic.hh"
#include "operate/audit.hh"
#include "os/command.hh"
#include "os/file_lock.hh"
#include "os/files.hh"
#include "ssh/sshd.hh"

namespace pushrod {

namespace {

// Sessions of apps with login last only as long as their key may see the app.
void end_sessions(Session& session) {
  for (const auto& [app, rules] : session.store().access_rules()) {
    if (!rules.login_secret.empty()) return publish_routes(session.platform());
  }
}

std::string apps_or_all(const std::vector<AppName>& apps) { return apps.empty() ? "all apps" : names_of(apps); }

}  // namespace

void change_keys(Session& session, const std::function<void()>& change) {
  const auto lock = FileLock::acquire(session.layout().keys_lock());
  make_directory(session.layout().ssh());
  const auto write = [&] { write_authorized_keys(session.layout(), session.store().keys(), own_program()); };
  write();  // what a killed change may have left out; the next one may well be refused
  change();
  write();
}

std::string names_of(const std::vector<AppName>& apps) {
  std::vector<std::string> names;
  for (const auto& app : apps) names.push_back(app.str());
  return names.empty() ? "no app" : join(names, ", ");
}

Key add_key(Session& session, const KeyName& name, const PublicKey& key, const KeyRights& rights) {
  session.require_admin();
  const auto role = rights.role.value_or(rights.apps.empty() ? Role::Admin : Role::Deploy);
  const auto detail =
      fmt::format("{} {}: {} {}", name.str(), key.fingerprint, to_string(role), apps_or_all(rights.apps));
  std::optional<Key> added;
  audited(session, {"", "key add", detail}, [&] {
    change_keys(session, [&] { added = session.store().add_key(name, key.text, key.fingerprint, role, rights.apps); });
    end_sessions(session);  // and the new key may have one
  });
  return *added;
}

Key set_key(Session& session, const KeyName& name, const KeyRights& rights) {
  session.require_admin();
  const auto keys = session.store().keys();
  const auto before = std::ranges::find(keys, name, &Key::name);
  const bool is_known = before != keys.end();
  auto apps = rights.apps;
  if (is_known && apps.empty() && !rights.all_apps && !before->all_apps) {
    apps = before->apps;
    if (apps.empty()) {
      throw UserError(fmt::format("the apps of key {} have all been destroyed", name.str()),
                      "name its apps with --app, or use --all-apps");
    }
  }
  const auto role = rights.role.value_or(is_known ? before->role : Role::View);
  const auto detail = fmt::format("{}: {} {}", name.str(), to_string(role), apps_or_all(apps));
  std::optional<Key> after;
  audited(session, {"", "key set", detail}, [&] {
    after = session.store().set_key(name, role, apps);
    end_sessions(session);
  });
  return *after;
}

std::vector<Key> list_keys(Session& session) {
  session.require_admin();
  return session.store().keys();
}

void remove_key(Session& session, const KeyName& name) {
  session.require_admin();
  audited(session, {"", "key remove", name.str()}, [&] {
    change_keys(session, [&] { session.store().remove_key(name); });
    end_sessions(session);
  });
}

Json to_json(const Key& key) {
  std::vector<std::string> apps;
  for (const auto& app : key.apps) apps.push_back(app.str());
  return {{"key", key.name.str()},
          {"fingerprint", key.fingerprint},
          {"public_key", key.public_key},
          {"role", to_string(key.role)},
          {"apps", key.all_apps ? Json("all") : Json(apps)},
          {"created", iso_time(key.created)}};
}

}  // namespace pushrod
