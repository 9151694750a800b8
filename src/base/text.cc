// Splitting, joining, numbers with units, suggestions.
// Used by every room. Escaping lives in escape.cc, terminal output in terminal.cc.
#include "base/text.hh"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <ctime>
#include <limits>

#include "base/edit_distance.hh"

namespace pushrod {

namespace {

bool is_digit(char character) { return character >= '0' && character <= '9'; }

std::string plural(std::string_view singular) {
  const auto ends_with_any = [&](std::initializer_list<std::string_view> endings) {
    return std::any_of(endings.begin(), endings.end(), [&](std::string_view end) { return singular.ends_with(end); });
  };
  if (ends_with_any({"s", "x", "ch", "sh"})) return std::string(singular) + "es";
  if (ends_with_any({"y"}) && !ends_with_any({"ay", "ey", "oy", "uy"})) {
    return std::string(singular.substr(0, singular.size() - 1)) + "ies";
  }
  return std::string(singular) + "s";
}

}  // namespace

std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> parts;
  while (true) {
    const std::size_t end = text.find(separator);
    parts.emplace_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

std::vector<std::string> lines_of(std::string_view text) {
  std::vector<std::string> lines = split(text, '\n');
  if (lines.back().empty()) lines.pop_back();
  return lines;
}

std::string join(const std::vector<std::string>& parts, std::string_view separator) {
  return fmt::format("{}", fmt::join(parts, separator));
}

std::string_view trim(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\n\v\f";
  const std::size_t first = text.find_first_not_of(kSpace);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kSpace) - first + 1);
}

std::optional<std::uint64_t> parse_unsigned(std::string_view text) {
  std::uint64_t value = 0;
  const char* end = text.data() + text.size();
  const auto [stopped, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc{} || stopped != end) return std::nullopt;
  return value;
}

std::optional<std::chrono::milliseconds> parse_duration(std::string_view text) {
  struct Unit {
    std::string_view name;
    std::uint64_t milliseconds;
  };
  constexpr std::array<Unit, 5> kUnits{{{"d", 86'400'000}, {"h", 3'600'000}, {"m", 60'000}, {"s", 1'000}, {"ms", 1}}};
  constexpr std::uint64_t kLongest = std::numeric_limits<std::int64_t>::max();
  std::uint64_t total = 0;
  const auto add = [&](std::uint64_t count, std::uint64_t each) {
    if (count > (kLongest - total) / each) return false;
    total += count * each;
    return true;
  };

  if (const auto seconds = parse_unsigned(text)) {
    if (!add(*seconds, 1'000)) return std::nullopt;
    return std::chrono::milliseconds(total);
  }
  if (text.empty()) return std::nullopt;
  // Each unit once, the larger before the smaller, so that a typing error ("5m10m") is refused and not added up.
  const Unit* smallest_allowed = kUnits.begin();
  while (!text.empty()) {
    const auto digits = static_cast<std::size_t>(std::find_if_not(text.begin(), text.end(), is_digit) - text.begin());
    const auto count = parse_unsigned(text.substr(0, digits));
    text.remove_prefix(digits);
    const std::string_view name =
        text.substr(0, static_cast<std::size_t>(std::find_if(text.begin(), text.end(), is_digit) - text.begin()));
    text.remove_prefix(name.size());
    const Unit* unit =
        std::find_if(smallest_allowed, kUnits.end(), [&](const Unit& candidate) { return candidate.name == name; });
    if (!count || unit == kUnits.end() || !add(*count, unit->milliseconds)) return std::nullopt;
    smallest_allowed = unit + 1;
  }
  return std::chrono::milliseconds(total);
}

std::string format_duration(std::chrono::milliseconds duration) {
  const std::int64_t signed_count = duration.count();
  if (signed_count < 0) {
    return "-" + format_duration(std::chrono::milliseconds(signed_count == std::numeric_limits<std::int64_t>::min()
                                                               ? std::numeric_limits<std::int64_t>::max()
                                                               : -signed_count));
  }
  // Rounded first, then put into the unit that the rounded value needs: 59.97 s is "1 m 00 s", not "60.0 s".
  const auto count = static_cast<std::uint64_t>(signed_count);
  const std::uint64_t hundredths = (count + 5) / 10;
  if (hundredths < 100) return fmt::format("0.{:02} s", hundredths);
  const std::uint64_t tenths = (count + 50) / 100;
  if (tenths < 600) return fmt::format("{}.{} s", tenths / 10, tenths % 10);
  const std::uint64_t seconds = (count + 500) / 1'000;
  if (seconds < 3'600) return fmt::format("{} m {:02} s", seconds / 60, seconds % 60);
  const std::uint64_t minutes = (count + 30'000) / 60'000;
  if (minutes < 1'440) return fmt::format("{} h {:02} m", minutes / 60, minutes % 60);
  const std::uint64_t hours = (count + 1'800'000) / 3'600'000;
  return fmt::format("{} d {} h", hours / 24, hours % 24);
}

std::string format_bytes(std::uint64_t bytes) {
  constexpr std::array<const char*, 6> kNames{"kB", "MB", "GB", "TB", "PB", "EB"};
  const auto in_units_of = [&](std::uint64_t unit) { return bytes / unit + (bytes % unit >= unit / 2 ? 1 : 0); };
  if (bytes < 1'000) return fmt::format("{} B", bytes);
  std::size_t name = 0;
  std::uint64_t unit = 1'000;
  for (; in_units_of(unit) >= 1'000; unit *= 1'000) ++name;  // 2^64 is 18 EB
  const std::uint64_t tenths = in_units_of(unit / 10);
  if (tenths < 1'000) return fmt::format("{}.{} {}", tenths / 10, tenths % 10, kNames[name]);
  return fmt::format("{} {}", in_units_of(unit), kNames[name]);
}

std::optional<std::uint64_t> parse_bytes(std::string_view text) {
  unsigned shift = 0;
  const bool is_long = text.ends_with("iB");
  if (is_long) text.remove_suffix(2);
  if (!text.empty() && (is_long || !is_digit(text.back()))) {
    switch (text.back()) {
      case 'k':
      case 'K':
        shift = 10;
        break;
      case 'M':
        shift = 20;
        break;
      case 'G':
        shift = 30;
        break;
      case 'T':
        shift = 40;
        break;
      default:
        return std::nullopt;
    }
    text.remove_suffix(1);
    if (is_long && text.ends_with(' ')) text.remove_suffix(1);
  }
  const auto count = parse_unsigned(text);
  if (!count || *count > std::numeric_limits<std::uint64_t>::max() >> shift) return std::nullopt;
  return *count << shift;
}

std::optional<std::string> nearest(std::string_view word, const std::vector<std::string>& candidates) {
  constexpr std::size_t kLongestWord = 256;  // the distance takes time by the product of the lengths
  if (word.empty() || word.size() > kLongestWord) return std::nullopt;
  std::size_t best_distance = std::max<std::size_t>(1, word.size() / 3) + 1;
  // A word of which every letter differs is not a misspelling.
  best_distance = std::min(best_distance, word.size());
  const std::string* best = nullptr;
  for (const std::string& candidate : candidates) {
    const std::size_t length_difference =
        word.size() > candidate.size() ? word.size() - candidate.size() : candidate.size() - word.size();
    if (length_difference >= best_distance) continue;
    const std::size_t distance = edit_distance(word, candidate);
    if (distance < best_distance) {
      best_distance = distance;
      best = &candidate;
    }
  }
  if (best == nullptr) return std::nullopt;
  return *best;
}

std::string counted(std::uint64_t count, std::string_view singular) {
  return fmt::format("{} {}", count, count == 1 ? std::string(singular) : plural(singular));
}

std::string format_time(std::chrono::system_clock::time_point time) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(time);
  const std::time_t count = seconds.time_since_epoch().count();
  std::tm parts{};
  if (gmtime_r(&count, &parts) == nullptr) return "(no such time)";
  return fmt::format("{:04}-{:02}-{:02} {:02}:{:02}:{:02}", parts.tm_year + 1900, parts.tm_mon + 1, parts.tm_mday,
                     parts.tm_hour, parts.tm_min, parts.tm_sec);
}

}  // namespace pushrod
