// One table of a TOML file, read key by key, with errors that name file, line and the nearest known key.
// Used inside config/ only: app_manifest.cc and settings_file.cc say which keys there are, this says what is
// wrong with a value.
#pragma once

#include <concepts>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <toml++/toml.h>

#include "base/error.hh"
#include "os/clock.hh"

namespace pushrod {

struct NumberRange {
  std::uint64_t first;
  std::uint64_t last;
};

struct DurationRange {
  Milliseconds first;
  Milliseconds last;
};

// A view into a TomlDocument, which must outlive it. Every reader leaves the value as it is when the key is absent, and
// throws UserError when it is not what was asked for. What was never asked for is unknown.
class TomlSection {
 public:
  TomlSection(const toml::table& table, std::string name, std::string file_name)
      : table_(&table), name_(std::move(name)), file_name_(std::move(file_name)) {}

  bool has(std::string_view key) const { return table_->contains(key); }
  bool is_list(std::string_view key) const { return table_->get_as<toml::array>(key) != nullptr; }
  std::vector<std::string> keys() const;  // in the order of the file

  // Any text without NUL.
  std::optional<std::string> text(const std::string& key);
  // A list of texts.
  std::optional<std::vector<std::string>> texts(const std::string& key);
  // A list of whole numbers.
  std::optional<std::vector<std::uint64_t>> counts(const std::string& key, NumberRange range);
  void flag(const std::string& key, bool& value);
  template <std::unsigned_integral Number>
  void count(const std::string& key, Number& value, NumberRange range) {
    if (const auto found = read_count(key, range)) value = static_cast<Number>(*found);
  }
  // Bytes: a number, or text such as "2G".
  void size(const std::string& key, std::uint64_t& value, NumberRange range);
  // Any number, as it is written: 0.5, 2.
  std::optional<double> decimal(const std::string& key, double first, double last);
  // A number of seconds, or text such as "1m30s".
  void duration(const std::string& key, Milliseconds& value, DurationRange range);
  std::optional<TomlSection> section(const std::string& key);
  // The tables of [[key]], in the order of the file; none when it is absent.
  std::vector<TomlSection> sections(const std::string& key);

  // Throws unless every key was asked for.
  void refuse_unknown_keys() const;

  // "server.toml:12", where the key's value (or, without one, the section) stands.
  std::string place(std::string_view key = {}) const;
  // "last" in [ports], as messages call it.
  std::string shown(std::string_view key) const;
  // UserError "server.toml:12: <what is wrong>".
  [[noreturn]] void refuse(std::string_view key, const std::string& problem, const std::string& hint = {}) const;
  bool is_table(std::string_view key) const;
  bool is_flag(std::string_view key) const;  // true or false

 private:
  const toml::node* find(const std::string& key);
  std::optional<std::uint64_t> read_count(const std::string& key, NumberRange range);
  [[noreturn]] void refuse_value(const std::string& key, const std::string& expected) const;

  const toml::table* table_;
  std::string name_;  // "[ports]"; empty: the top level
  std::string file_name_;
  std::vector<std::string> known_;
  std::set<std::string> repeated_;  // of these, the ones that are lists of tables
};

// A parsed file. Not text (config/text_file.hh), nested deeper than 32, or no TOML: UserError with the line.
class TomlDocument {
 public:
  TomlDocument(const std::string& bytes, std::string file_name);
  TomlSection top() const { return {table_, "", file_name_}; }
  const toml::table& table() const { return table_; }

 private:
  std::string file_name_;
  toml::table table_;
};

}  // namespace pushrod
