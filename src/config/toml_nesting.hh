// How deep a TOML text nests, checked before it is parsed.
// Used inside config/ only. toml++ itself stops at 256 nested arrays and inline tables, but not at keys: a
// header of 130,000 dotted parts makes as many tables, whose destructors then overflow the stack (measured with 3.3).
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace pushrod {

// The line (from 1) on which the text nests deeper than limit; absent if it nowhere does. Every part of a dotted key,
// every inline table and every array is one level below the root. For a text that is no TOML the answer may be
// anything up to the place where a parser gives up, and means nothing after it.
std::optional<std::size_t> line_nested_deeper(std::string_view text, std::size_t limit);

// Invalid TOML that toml++ 3.3 does not survive: a header without a name ("[,") is a failed assertion, and a
// character outside of ASCII in a key without quotes is undefined behaviour.
struct TomlProblem {
  std::size_t line = 0;
  const char* problem = "";
};
std::optional<TomlProblem> problem_of_toml(std::string_view text);

}  // namespace pushrod
