// Does a version lie in a range, as npm and Python write them? Versions that are released count, of three numbers; what
// is before a release (18.0.0-rc.1) is only understood in ranges. Used inside build/ only.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace pushrod {

using Version = std::array<std::uint64_t, 3>;

// The first "20.20.2" in a text such as "v20.20.2" or "Python 3.11.2"; missing numbers are 0. Absent: there is no
// number.
std::optional<Version> find_version(std::string_view text);

// npm's ranges: "18", "v18.1.x", "^18.2", "~18", ">=18 <21", "14 || 16 - 18.2", "*". Absent if it is not one.
std::optional<bool> is_in_npm_range(const Version& version, std::string_view range);

// Python's specifiers: ">=3.10,<3.13", "==3.11.*", "~=3.11", "!=3.12.1"; also Poetry's "^3.11", and "3.11" alone, which
// stands for any 3.11. Absent if it is not one.
std::optional<bool> is_in_python_range(const Version& version, std::string_view range);

}  // namespace pushrod
