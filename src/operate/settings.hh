// The settings of an app: environment variables that its operator chooses.
// All settings of one request change together, in one deployment. Every function needs the right to deploy.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/secret.hh"
#include "config/dotenv.hh"
#include "operate/change.hh"
#include "operate/json.hh"

namespace pushrod {

struct SettingLine {
  std::string name;
  std::optional<std::string> value;  // absent for a secret
  bool is_pending = false;           // the live release has another value, or none
  SettingScope scope = SettingScope::Both;
};
Json to_json(const SettingLine& line);

struct SettingsView {
  std::vector<SettingLine> settings;         // by name
  std::vector<std::string> pending_removal;  // the live release has them, the next one does not
};
Json to_json(const SettingsView& view);
SettingsView list_settings(Session& session, const AppName& app);

// Plain values. Throw UserError for a name that is not set.
Secret setting_value(Session& session, const AppName& app, const SettingName& name);
DotenvEntries setting_values(Session& session, const AppName& app);

// When a change takes effect: now, in a deployment of its own; or with the next release, whatever makes it.
enum class When { Now, NextRelease };

struct NewSetting {
  SettingName name;
  Secret value;
  bool is_secret = false;               // even if its name does not look like that of a secret
  std::optional<SettingScope> scope{};  // absent: as before, and both for a new one
};

// What a request to change settings comes to. Neither is set when every setting is already as requested.
struct SettingsChange {
  std::vector<std::string> names;
  std::string what;              // "set GREETING, MODE"
  bool is_saved = false;         // for the next release
  bool is_for_build = false;     // saved, because it changes nothing for the processes that run
  std::optional<Change> change;  // to be deployed
};
// A change that only builds see is saved for the next one. An app that is not deployed has nothing to deploy: the
// change is saved for its first release. A setting that is once secret stays so until it is unset. Throw UserError for
// a reserved name, a value that no environment variable can have, too much text, a name that is given twice, and one to
// unset that is not set.
SettingsChange set_settings(Session& session, const AppName& app, const std::vector<NewSetting>& settings, When when);
SettingsChange unset_settings(Session& session, const AppName& app, const std::vector<SettingName>& names, When when);

}  // namespace pushrod
