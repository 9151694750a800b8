// Parsers for s6-svstat and s6-svdt; s6_state.cc runs the tools.
#include "supervise/s6_answers.hh"

#include <charconv>
#include <cstdint>
#include <vector>

#include "base/text.hh"

namespace pushrod {

namespace {

constexpr std::size_t kLabelSize = 25;  // "@", 16 hexadecimal digits of seconds, 8 of nanoseconds

template <typename Number>
bool read_hexadecimal(std::string_view digits, Number& number) {
  const auto* const end = digits.data() + digits.size();
  const auto [stop, error] = std::from_chars(digits.data(), end, number, 16);
  return error == std::errc{} && stop == end;
}

std::optional<WallTime> parse_label(std::string_view text) {
  std::uint64_t seconds = 0;
  std::uint32_t nanoseconds = 0;
  if (text.size() != kLabelSize || text.front() != '@') return std::nullopt;
  if (!read_hexadecimal(text.substr(1, 16), seconds) || !read_hexadecimal(text.substr(17), nanoseconds)) {
    return std::nullopt;
  }
  // Labels count from 2^62, and the clock ends in the year 2262.
  constexpr std::uint64_t kEpoch = std::uint64_t{1} << 62;
  constexpr std::uint64_t kFarthest = std::uint64_t{1} << 33;
  if (seconds < kEpoch || seconds - kEpoch > kFarthest || nanoseconds > 999'999'999) return std::nullopt;
  return from_tai64n(seconds, nanoseconds);
}

std::optional<bool> parse_flag(std::string_view text) {
  if (text == "true") return true;
  if (text == "false") return false;
  return std::nullopt;
}

}  // namespace

std::optional<SvstatAnswer> parse_svstat(std::string_view text) {
  const std::vector<std::string> fields = split(trim(text), ' ');
  if (fields.size() != 4) return std::nullopt;
  const auto up = parse_flag(fields[0]);
  const auto wanted_up = parse_flag(fields[1]);
  const auto pid = fields[2] == "-1" ? std::uint64_t{0} : parse_unsigned(fields[2]);
  const auto since = parse_label(fields[3]);
  if (!up || !wanted_up || !pid || !since) return std::nullopt;
  return SvstatAnswer{*up, *wanted_up, *up ? static_cast<pid_t>(*pid) : 0, *since};
}

std::optional<SvdtAnswer> parse_svdt(std::string_view text) {
  SvdtAnswer answer;
  for (const std::string& line : lines_of(text)) {
    const std::vector<std::string> fields = split(line, ' ');
    if (fields.size() != 3 || !parse_label(fields[0])) return std::nullopt;
    if (fields[1] == "exitcode" && parse_unsigned(fields[2])) {
      answer.last_exit = ExitStatus::exited(static_cast<int>(*parse_unsigned(fields[2])));
    } else if (fields[1] == "signal" && parse_unsigned(fields[2])) {
      answer.last_exit = ExitStatus::signalled(static_cast<int>(*parse_unsigned(fields[2])));
    } else {
      return std::nullopt;
    }
    ++answer.deaths;
  }
  return answer;
}

}  // namespace pushrod
