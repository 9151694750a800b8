// Settings of an app: environment variables that its operator gives it.
// Values are sealed in every place that keeps them; store/vault.hh opens one only where the plain text is needed.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "model/names.hh"

namespace pushrod {

struct AppSetting {
  std::string sealed;   // encrypted, bound to its app and name
  bool secret = false;  // shown masked, redacted from output
  bool operator==(const AppSetting&) const = default;
};

using AppSettings = std::map<SettingName, AppSetting>;
using SettingChanges = std::map<SettingName, std::optional<AppSetting>>;  // an absent one is unset

AppSettings with_changes(AppSettings settings, const SettingChanges& changes);

// Does a name look as if its value were a secret? PASSWORD, TOKEN, SECRET, KEY, … as a word of it, or a URL, which may
// hold a password.
bool looks_secret(const SettingName& name);

}  // namespace pushrod
