// Takes TOML values out of a table and says of each wrong one where it stands and what it should have been.
// Between toml++ and the two kinds of files that we read.
#include "config/toml_section.hh"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <utility>

#include "base/text.hh"
#include "config/text_file.hh"
#include "config/toml_nesting.hh"

namespace pushrod {

namespace {

constexpr std::size_t kDeepestNesting = 32;

std::string kind_of(const toml::node& node) {
  switch (node.type()) {
    case toml::node_type::table:
      return "a table";
    case toml::node_type::array:
      return "a list";
    case toml::node_type::floating_point:
      return fmt::format("{}", *node.value<double>());
    case toml::node_type::date:
    case toml::node_type::time:
    case toml::node_type::date_time:
      return "a date";
    case toml::node_type::string:
      return quoted(*node.value<std::string>());
    case toml::node_type::integer:
      return fmt::format("{}", *node.value<std::int64_t>());
    case toml::node_type::boolean:
      return *node.value<bool>() ? "true" : "false";
    case toml::node_type::none:
      break;
  }
  return "nothing";
}

// As it would be written in the file.
std::string written_size(std::uint64_t bytes) {
  constexpr std::array<std::pair<unsigned, char>, 4> kUnits{{{40, 'T'}, {30, 'G'}, {20, 'M'}, {10, 'k'}}};
  for (const auto& [shift, unit] : kUnits) {
    if (bytes != 0 && bytes % (std::uint64_t{1} << shift) == 0) return fmt::format("{}{}", bytes >> shift, unit);
  }
  return fmt::format("{}", bytes);
}

std::string written_duration(Milliseconds duration) {
  constexpr std::array<std::pair<std::int64_t, const char*>, 4> kUnits{
      {{86'400'000, "d"}, {3'600'000, "h"}, {60'000, "m"}, {1'000, "s"}}};
  for (const auto& [milliseconds, unit] : kUnits) {
    if (duration.count() != 0 && duration.count() % milliseconds == 0) {
      return fmt::format("{}{}", duration.count() / milliseconds, unit);
    }
  }
  return fmt::format("{}ms", duration.count());
}

// toml++ escapes what it quotes of the text. Doing it again costs nothing if it forgot some; doubled backslashes would.
std::string readable(std::string_view description) {
  std::string text = escaped(description, 300);
  constexpr std::string_view kNewline = "'\\\\n'";
  if (const auto at = text.find(kNewline); at != std::string::npos) {
    text.replace(at, kNewline.size(), "the end of the line");
  }
  for (std::size_t at = text.find("\\\\"); at != std::string::npos; at = text.find("\\\\", at + 1)) text.erase(at, 1);
  return text;
}

toml::table parse_toml(const std::string& bytes, const std::string& file_name) {
  const std::string text = decode_text(bytes, file_name);
  if (const auto line = line_nested_deeper(text, kDeepestNesting)) {
    throw UserError(fmt::format("{}:{}: nested deeper than {} levels", file_name, *line, kDeepestNesting));
  }
  if (const auto found = problem_of_toml(text)) {
    throw UserError(fmt::format("{}:{}: {}", file_name, found->line, found->problem));
  }
  try {
    return toml::parse(text);
  } catch (const toml::parse_error& error) {
    throw UserError(fmt::format("{}:{}: {}", file_name, error.source().begin.line, readable(error.description())));
  }
}

}  // namespace

TomlDocument::TomlDocument(const std::string& bytes, std::string file_name)
    : file_name_(std::move(file_name)), table_(parse_toml(bytes, file_name_)) {}

std::vector<std::string> TomlSection::keys() const {
  std::vector<std::pair<toml::source_position, std::string>> found;
  for (const auto& [key, value] : *table_) found.emplace_back(key.source().begin, std::string(key.str()));
  std::stable_sort(found.begin(), found.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  std::vector<std::string> names;
  names.reserve(found.size());
  for (auto& [position, name] : found) names.push_back(std::move(name));
  return names;
}

std::string TomlSection::place(std::string_view key) const {
  const toml::node* node = table_;
  if (const auto found = table_->find(key); found != table_->end()) {
    // An implicit table ([a.b] without [a]) has its key's place only.
    const auto line = found->first.source().begin.line;
    if (line != 0) return fmt::format("{}:{}", file_name_, line);
    node = &found->second;
  }
  return fmt::format("{}:{}", file_name_, node->source().begin.line);
}

std::string TomlSection::shown(std::string_view key) const {
  if (name_.empty()) return is_table(key) ? fmt::format("[{}]", escaped(key, 120)) : quoted(key) + " at the top level";
  return fmt::format("{} in {}", quoted(key), name_);
}

void TomlSection::refuse(std::string_view key, const std::string& problem, const std::string& hint) const {
  throw UserError(fmt::format("{}: {}", place(key), problem), hint);
}

bool TomlSection::is_table(std::string_view key) const {
  const toml::node* node = table_->get(key);
  return node != nullptr && node->is_table();
}

bool TomlSection::is_flag(std::string_view key) const {
  const toml::node* node = table_->get(key);
  return node != nullptr && node->is_boolean();
}

const toml::node* TomlSection::find(const std::string& key) {
  known_.push_back(key);
  return table_->get(key);
}

void TomlSection::refuse_value(const std::string& key, const std::string& expected) const {
  refuse(key, fmt::format("{} must be {}, not {}", shown(key), expected, kind_of(*table_->get(key))));
}

std::optional<std::string> TomlSection::text(const std::string& key) {
  const toml::node* node = find(key);
  if (node == nullptr) return std::nullopt;
  if (!node->is_string()) refuse_value(key, "a string in quotes");
  const std::string& value = node->as_string()->get();
  if (value.find('\0') != std::string::npos) refuse(key, fmt::format("{} contains a NUL character", shown(key)));
  return value;
}

std::optional<std::vector<std::string>> TomlSection::texts(const std::string& key) {
  const toml::node* node = find(key);
  if (node == nullptr) return std::nullopt;
  constexpr const char* kExpected = "a list of strings in quotes";
  if (!node->is_array()) refuse_value(key, kExpected);
  std::vector<std::string> values;
  for (const auto& each : *node->as_array()) {
    if (!each.is_string()) refuse(key, fmt::format("{} must be {}", shown(key), kExpected));
    values.push_back(*each.value<std::string>());
  }
  return values;
}

std::optional<std::vector<std::uint64_t>> TomlSection::counts(const std::string& key, NumberRange range) {
  const toml::node* node = find(key);
  if (node == nullptr) return std::nullopt;
  const auto expected = fmt::format("a list of whole numbers from {} to {}", range.first, range.last);
  if (!node->is_array()) refuse_value(key, expected);
  std::vector<std::uint64_t> values;
  for (const auto& each : *node->as_array()) {
    const auto number = each.is_integer() ? *each.value<std::int64_t>() : -1;
    if (number < 0 || std::cmp_less(number, range.first) || std::cmp_greater(number, range.last)) {
      refuse(key, fmt::format("{} must be {}", shown(key), expected));
    }
    values.push_back(static_cast<std::uint64_t>(number));
  }
  return values;
}

void TomlSection::flag(const std::string& key, bool& value) {
  const toml::node* node = find(key);
  if (node == nullptr) return;
  if (!node->is_boolean()) refuse_value(key, "true or false");
  value = *node->value<bool>();
}

std::optional<std::uint64_t> TomlSection::read_count(const std::string& key, NumberRange range) {
  const toml::node* node = find(key);
  if (node == nullptr) return std::nullopt;
  const auto number = node->is_integer() ? *node->value<std::int64_t>() : -1;
  if (number < 0 || std::cmp_less(number, range.first) || std::cmp_greater(number, range.last)) {
    refuse_value(key, fmt::format("a whole number from {} to {}", range.first, range.last));
  }
  return static_cast<std::uint64_t>(number);
}

void TomlSection::size(const std::string& key, std::uint64_t& value, NumberRange range) {
  const toml::node* node = find(key);
  if (node == nullptr) return;
  std::optional<std::uint64_t> bytes;
  if (const auto number = node->as_integer(); number != nullptr && number->get() >= 0) {
    bytes = static_cast<std::uint64_t>(number->get());
  } else if (node->is_string()) {
    bytes = parse_bytes(*node->value<std::string>());
  }
  if (!bytes || *bytes < range.first || *bytes > range.last) {
    refuse_value(key, fmt::format("a size from {} to {}, such as 1000000, \"64M\" or \"2G\"", written_size(range.first),
                                  written_size(range.last)));
  }
  value = *bytes;
}

std::optional<double> TomlSection::decimal(const std::string& key, double first, double last) {
  const toml::node* node = find(key);
  if (node == nullptr) return std::nullopt;
  const auto number = node->is_number() ? node->value<double>() : std::nullopt;
  if (!number || !(*number >= first && *number <= last)) {  // a NaN is neither
    refuse_value(key, fmt::format("a number from {} to {}", first, last));
  }
  return number;
}

void TomlSection::duration(const std::string& key, Milliseconds& value, DurationRange range) {
  const toml::node* node = find(key);
  if (node == nullptr) return;
  std::optional<Milliseconds> found;
  if (const auto number = node->as_integer(); number != nullptr && number->get() >= 0) {
    found = parse_duration(std::to_string(number->get()));
  } else if (node->is_string()) {
    found = parse_duration(*node->value<std::string>());
  }
  if (!found || *found < range.first || *found > range.last) {
    refuse_value(key, fmt::format("a time from {} to {}, such as 30 (seconds), \"500ms\" or \"1m30s\"",
                                  written_duration(range.first), written_duration(range.last)));
  }
  value = *found;
}

std::optional<TomlSection> TomlSection::section(const std::string& key) {
  const toml::node* node = find(key);
  if (node == nullptr) return std::nullopt;
  if (!node->is_table()) refuse_value(key, "a table");
  const std::string inside = name_.empty() ? "" : name_.substr(1, name_.size() - 2) + ".";
  return TomlSection(*node->as_table(), fmt::format("[{}{}]", inside, escaped(key, 120)), file_name_);
}

std::vector<TomlSection> TomlSection::sections(const std::string& key) {
  const toml::node* node = find(key);
  std::vector<TomlSection> tables;
  repeated_.insert(key);
  if (node == nullptr) return tables;
  const std::string name = fmt::format("[[{}]]", escaped(key, 120));
  if (!node->is_array_of_tables()) refuse_value(key, "tables, each under a line " + name);
  for (const auto& table : *node->as_array()) tables.emplace_back(*table.as_table(), name, file_name_);
  return tables;
}

void TomlSection::refuse_unknown_keys() const {
  for (const std::string& key : keys()) {
    if (std::find(known_.begin(), known_.end(), key) != known_.end()) continue;
    const bool at_top = name_.empty();
    const auto meant = nearest(key, known_);
    const auto as_written = [&](const std::string& name) {
      if (!at_top) return quoted(name);
      return repeated_.contains(name) ? fmt::format("[[{}]]", name) : fmt::format("[{}]", name);
    };
    std::string problem = fmt::format("unknown {} {}", at_top && is_table(key) ? "section" : "key", shown(key));
    if (meant) problem += fmt::format("; did you mean {}?", as_written(*meant));
    std::vector<std::string> known;
    std::transform(known_.begin(), known_.end(), std::back_inserter(known), as_written);
    refuse(key, problem, fmt::format("known keys: {}", join(known, ", ")));
  }
}

}  // namespace pushrod
