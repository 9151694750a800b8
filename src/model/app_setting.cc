// Changing settings, and which names look secret.
#include "model/app_setting.hh"

#include <algorithm>
#include <array>

#include "base/text.hh"

namespace pushrod {

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
