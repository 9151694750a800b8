// Takes values out of TOML tables. See toml_values.hh.
#include "config/toml_values.hh"

namespace pushrod {

std::string toml_text(const toml::table& table, std::string_view key) {
  const auto* value = table.get_as<std::string>(key);
  return value != nullptr ? value->get() : std::string{};
}

bool toml_flag(const toml::table& table, std::string_view key) {
  const auto* value = table.get_as<bool>(key);
  return value != nullptr && value->get();
}

std::vector<std::string> toml_texts(const toml::table& table, std::string_view key) {
  std::vector<std::string> texts;
  const auto* list = table.get_as<toml::array>(key);
  if (list == nullptr) return texts;
  for (const auto& each : *list) {
    if (const auto* text = each.as_string()) texts.push_back(text->get());
  }
  return texts;
}

const toml::table& toml_table(const toml::table& table, std::string_view key) {
  static const toml::table kEmpty;
  const auto* found = table.get_as<toml::table>(key);
  return found != nullptr ? *found : kEmpty;
}

void each_toml_table(const toml::table& table, std::string_view key,
                     const std::function<void(const toml::table&)>& act) {
  const auto* list = table.get_as<toml::array>(key);
  if (list == nullptr) return;
  for (const auto& each : *list) {
    if (const auto* inner = each.as_table()) act(*inner);
  }
}

}  // namespace pushrod
