// A table of the words for an enumeration's values, read in both directions.
// Used inside model/ only.
#pragma once

#include <fmt/format.h>

#include <array>
#include <cstddef>
#include <string_view>
#include <utility>

#include "base/error.hh"
#include "base/text.hh"

namespace pushrod {

template <class Value, std::size_t Count>
struct Words {
  std::string_view what;  // "state of a deployment"
  std::array<std::pair<Value, std::string_view>, Count> table;

  std::string_view word(Value value) const {
    for (const auto& [candidate, word] : table) {
      if (candidate == value) return word;
    }
    throw Error(fmt::format("{} is no {}", static_cast<int>(value), what));
  }
  Value value(std::string_view word) const {
    for (const auto& [value, candidate] : table) {
      if (candidate == word) return value;
    }
    throw Error(fmt::format("{} is no {}", quoted(word), what));
  }
};

}  // namespace pushrod
