// Changing settings, which programs get them, and which names look secret.
#include "model/app_setting.hh"

#include <algorithm>
#include <array>

#include "base/text.hh"
#include "model/words.hh"

namespace pushrod {

namespace {

constexpr Words<SettingScope, 3> kScopes{
    "scope of a setting", {{{SettingScope::Both, "both"}, {SettingScope::Build, "build"}, {SettingScope::Run, "run"}}}};

AppSettings without(AppSettings settings, SettingScope scope) {
  std::erase_if(settings, [&](const auto& entry) { return entry.second.scope == scope; });
  return settings;
}

}  // namespace

std::string_view to_string(SettingScope scope) { return kScopes.word(scope); }

SettingScope setting_scope_from(std::string_view word) { return kScopes.value(word); }

AppSettings visible_in_build(AppSettings settings) { return without(std::move(settings), SettingScope::Run); }

AppSettings visible_at_run_time(AppSettings settings) { return without(std::move(settings), SettingScope::Build); }

AppSettings with_changes(AppSettings settings, const SettingChanges& changes) {
  for (const auto& [name, setting] : changes) {
    if (setting) {
      settings.insert_or_assign(name, *setting);
    } else {
      settings.erase(name);
    }
  }
  return settings;
}

bool looks_secret(const SettingName& name) {
  constexpr std::array<std::string_view, 16> kWords{
      "PASSWORD", "PASSWD",     "PASS",        "PASSPHRASE", "SECRET",  "SECRETS", "TOKEN", "KEY",
      "KEYS",     "CREDENTIAL", "CREDENTIALS", "AUTH",       "PRIVATE", "DSN",     "URL",   "URI"};
  std::string upper = name.str();
  std::transform(upper.begin(), upper.end(), upper.begin(), [](char character) {
    return character >= 'a' && character <= 'z' ? character - 'a' + 'A' : character;
  });
  const auto words = split(upper, '_');
  return std::any_of(words.begin(), words.end(), [&](const std::string& word) {
    return std::any_of(kWords.begin(), kWords.end(), [&](std::string_view secret) {
      return word == secret || (secret.size() > 4 && word.ends_with(secret));
    });
  });
}

}  // namespace pushrod
