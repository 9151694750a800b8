// Text for people and for machines: splitting, quoting, escaping, durations, suggestions.
// Pure functions; nothing here knows what the text means.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pushrod {

// One part more than there are separators, empty ones included: "" gives one empty part.
std::vector<std::string> split(std::string_view text, char separator);
// Lines without their newline; a last line without one counts; no empty line after the last newline.
std::vector<std::string> lines_of(std::string_view text);
std::string join(const std::vector<std::string>& parts, std::string_view separator);
std::string_view trim(std::string_view text);

// Decimal digits only, no sign, no space, no overflow; otherwise absent.
std::optional<std::uint64_t> parse_unsigned(std::string_view text);

// "30", "30s", "500ms", "2m", "1h30m", "1d" (a bare number is seconds; each unit once, large before small); otherwise
// absent.
std::optional<std::chrono::milliseconds> parse_duration(std::string_view text);
// "0.21 s", "3.2 s", "2 m 05 s", "4 h 10 m", "3 d 4 h".
std::string format_duration(std::chrono::milliseconds duration);
// "512 B", "1.2 MB" (powers of 1000).
std::string format_bytes(std::uint64_t bytes);
// "64M", "64 MiB", "2G", "512k", "1000" (powers of 1024); otherwise absent.
std::optional<std::uint64_t> parse_bytes(std::string_view text);

bool is_valid_utf8(std::string_view text);

// Quoted for a message: "a\nb" in double quotes, control characters, invalid UTF-8 and bidirectional controls escaped,
// cut at max_bytes with "…". Never lets the text steer a terminal or forge a line.
// An object, so that an unqualified call with a std::string does not also find the templates of std::quoted.
struct Quoted {
  std::string operator()(std::string_view text, std::size_t max_bytes = 120) const;
};
inline constexpr Quoted quoted;  // NOLINT(readability-identifier-naming): called like a function
// The same without the surrounding quotes (and with " left as it is), for text that is shown as a whole line.
std::string escaped(std::string_view text, std::size_t max_bytes = 4096);
// One line of a program's output, made safe for a terminal: colours (SGR) stay, every other escape sequence, control
// character and invalid byte is neutralised; "\r" overwrites are resolved to what remained visible. A colour ends with
// the line at the latest. Cut with "…" after 262,144 characters.
std::string terminal_safe(std::string_view line);
// The same with colours taken out too.
std::string plain_text(std::string_view line);

// A word that a POSIX shell reads back as exactly this text. For commands that we show or store for sshd. Throws Error
// for a NUL byte, which no word can hold.
std::string shell_quoted(std::string_view text);

// The candidate nearest to word, if it is near enough to be what was meant.
std::optional<std::string> nearest(std::string_view word, const std::vector<std::string>& candidates);

// "1 app", "3 apps".
std::string counted(std::uint64_t count, std::string_view singular);

// Seconds since the epoch, UTC, as "2026-11-22 15:04:05".
std::string format_time(std::chrono::system_clock::time_point time);
// "2026-11-22", "2026-11-22 15:04", "2026-11-22T15:04:05.123+01:00" (ISO 8601; without a zone: UTC); otherwise absent.
std::optional<std::chrono::system_clock::time_point> parse_time(std::string_view text);

}  // namespace pushrod
