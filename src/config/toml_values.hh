// Values of TOML tables that other tools wrote, where a value of another type counts as absent. Used inside config/
// only; files that are written for Pushrod are read with toml_section.hh.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include <toml++/toml.h>

namespace pushrod {

// Empty: there is none.
std::string toml_text(const toml::table& table, std::string_view key);
// True if it is there and true.
bool toml_flag(const toml::table& table, std::string_view key);
std::vector<std::string> toml_texts(const toml::table& table, std::string_view key);
// A table, or one that is empty.
const toml::table& toml_table(const toml::table& table, std::string_view key);
// Calls the function with each table of the list.
void each_toml_table(const toml::table& table, std::string_view key,
                     const std::function<void(const toml::table&)>& act);

}  // namespace pushrod
