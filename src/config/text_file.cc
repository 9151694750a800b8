// Decides on the encoding by the first bytes, then checks and normalises line by line.
#include "config/text_file.hh"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.hh"
#include "base/text.hh"

namespace pushrod {

namespace {

using namespace std::string_view_literals;

constexpr std::string_view kUtf8Mark = "\xEF\xBB\xBF"sv;
constexpr std::size_t kSample = 1024;  // bytes that are looked at to recognise UTF-16 without a mark

// How many of the sample's 16-bit units have a zero in the given half only. Text in Latin letters has it in nearly all.
bool mostly_zero_at(std::string_view sample, std::size_t half) {
  std::size_t zeros = 0;
  const std::size_t units = sample.size() / 2;
  for (std::size_t unit = 0; unit < units; ++unit) {
    const bool is_zero = sample[2 * unit + half] == '\0';
    const bool is_other_zero = sample[2 * unit + 1 - half] == '\0';
    if (is_zero && !is_other_zero) ++zeros;
  }
  return units > 0 && 3 * zeros >= 2 * units;
}

// "UTF-16", "UTF-32"; empty: neither.
std::string_view wide_encoding(std::string_view bytes) {
  if (bytes.starts_with("\xFF\xFE\0\0"sv) || bytes.starts_with("\0\0\xFE\xFF"sv)) return "UTF-32";
  if (has_utf16_mark(bytes)) return "UTF-16";
  const std::string_view sample = bytes.substr(0, kSample);
  return mostly_zero_at(sample, 1) || mostly_zero_at(sample, 0) ? "UTF-16" : "";
}

void check_line(std::string_view line, std::size_t number, const std::string& shown, OtherBytes other) {
  if (other == OtherBytes::Refuse && !is_valid_utf8(line)) {
    throw UserError(fmt::format("{}:{}: not valid UTF-8", shown, number), "save the file as UTF-8");
  }
  if (line.find('\0') != std::string_view::npos) {
    throw UserError(fmt::format("{}:{}: contains a NUL byte", shown, number),
                    "remove it: the file must be text in UTF-8");
  }
}

}  // namespace

bool has_utf16_mark(std::string_view bytes) {
  return bytes.starts_with("\xFF\xFE"sv) || bytes.starts_with("\xFE\xFF"sv);
}

std::string decode_text(std::string_view bytes, const std::string& shown, OtherBytes other) {
  if (const auto encoding = wide_encoding(bytes); !encoding.empty()) {
    throw UserError(fmt::format("{}: is {}, not UTF-8", shown, encoding),
                    "save it as UTF-8; Windows PowerShell writes UTF-16 with \">\": use | Set-Content -Encoding utf8");
  }
  if (bytes.starts_with(kUtf8Mark)) bytes.remove_prefix(kUtf8Mark.size());
  std::string text;
  text.reserve(bytes.size());
  std::size_t number = 0;
  while (!bytes.empty()) {
    ++number;
    const std::size_t newline = bytes.find('\n');
    std::string_view line = bytes.substr(0, newline);
    bytes.remove_prefix(newline == std::string_view::npos ? bytes.size() : newline + 1);
    check_line(line, number, shown, other);
    if (line.ends_with('\r')) line.remove_suffix(1);
    text += line;
    if (newline != std::string_view::npos) text += '\n';
  }
  return text;
}

}  // namespace pushrod
