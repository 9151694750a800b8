// How far two words are apart.
#pragma once

#include <cstddef>
#include <string_view>

namespace pushrod {

// Edits that turn a into b: insert, delete, replace, swap two neighbours. ASCII case does not count. Takes time by the
// product of the lengths.
std::size_t edit_distance(std::string_view a, std::string_view b);

}  // namespace pushrod
