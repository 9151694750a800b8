// Settings of an app: environment variables that its operator gives it.
// Values are sealed in every place that keeps them; store/vault.hh opens one only where the plain text is needed.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "model/names.hh"

namespace pushrod {

struct AppSetting {
  std::string sealed;   // encrypted, bound to its app and name
  bool secret = false;  // shown masked, redacted from output
  // The attached service that gives it (model/service.hh), 0: the operator. It follows the attachment: a rollback does
  // not bring back an older one.
  std::int64_t service = 0;
  bool operator==(const AppSetting&) const = default;
};

using AppSettings = std::map<SettingName, AppSetting>;
using SettingChanges = std::map<SettingName, std::optional<AppSetting>>;  // an absent one is unset

AppSettings with_changes(AppSettings settings, const SettingChanges& changes);

// Does a name look as if its value were a secret? PASSWORD, TOKEN, SECRET, KEY, … as a word of it, or a URL, which may
// hold a password.
bool looks_secret(const SettingName& name);

}  // namespace pushrod
