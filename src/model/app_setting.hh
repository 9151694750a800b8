// Settings of an app: environment variables that its operator gives it.
// Values are sealed in every place that keeps them; store/vault.hh opens one only where the plain text is needed.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "model/names.hh"

namespace pushrod {

// Which programs of the app get a setting: builds, or all others (instances, jobs, the release command).
enum class SettingScope { Both, Build, Run };
std::string_view to_string(SettingScope scope);  // "both", "build", "run"
SettingScope setting_scope_from(std::string_view word);

struct AppSetting {
  std::string sealed;   // encrypted, bound to its app and name
  bool secret = false;  // shown masked, redacted from output
  // The attached service that gives it (model/service.hh), 0: the operator. It follows the attachment: a rollback does
  // not bring back an older one.
  std::int64_t service = 0;
  SettingScope scope = SettingScope::Both;
  bool operator==(const AppSetting&) const = default;
};

using AppSettings = std::map<SettingName, AppSetting>;
using SettingChanges = std::map<SettingName, std::optional<AppSetting>>;  // an absent one is unset

AppSettings visible_in_build(AppSettings settings);
AppSettings visible_at_run_time(AppSettings settings);

AppSettings with_changes(AppSettings settings, const SettingChanges& changes);

// Does a name look as if its value were a secret? PASSWORD, TOKEN, SECRET, KEY, … as a word of it, or a URL, which may
// hold a password.
bool looks_secret(const SettingName& name);

}  // namespace pushrod
