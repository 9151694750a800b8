// Reads /proc/meminfo.
#include "os/memory.hh"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/text.hh"
#include "os/files.hh"

namespace pushrod {

namespace {

// "MemAvailable:   1234 kB"
std::optional<std::uint64_t> bytes_of(std::string_view meminfo, std::string_view name) {
  for (const auto& line : split(meminfo, '\n')) {
    if (!line.starts_with(name)) continue;
    const auto value = trim(std::string_view(line).substr(name.size()));
    const auto number = parse_unsigned(std::string_view(value).substr(0, value.find(' ')));
    if (number) return *number * 1024;
  }
  return std::nullopt;
}

}  // namespace

bool is_memory_short() {
  constexpr std::uint64_t kEnough = std::uint64_t{256} << 20;
  const auto meminfo = read_file("/proc/meminfo");
  if (!meminfo) return false;
  const auto total = bytes_of(*meminfo, "MemTotal:");
  const auto available = bytes_of(*meminfo, "MemAvailable:");
  return total && available && *available < std::min(*total / 10, kEnough);
}

}  // namespace pushrod
