// Percent signs, backslashes and base64.
#include "base/decoded_text.hh"

#include <array>
#include <cstdint>

#include "base/utf8.hh"

namespace pushrod {

namespace {

// What an escape stands for, and its length; a length of 0: it is none. `cut`: it may become one.
struct Escape {
  std::string text;
  std::size_t length = 0;
  bool cut = false;
};

std::optional<unsigned> hexadecimal_digit(char digit) {
  if (digit >= '0' && digit <= '9') return static_cast<unsigned>(digit - '0');
  if (digit >= 'a' && digit <= 'f') return static_cast<unsigned>(digit - 'a' + 10);
  if (digit >= 'A' && digit <= 'F') return static_cast<unsigned>(digit - 'A' + 10);
  return std::nullopt;
}

// So many hexadecimal digits: their value, or whether the end of the text cuts them.
struct Hexadecimal {
  std::optional<unsigned> value;
  bool cut = false;
};
Hexadecimal hexadecimal(std::string_view text, std::size_t digits) {
  unsigned value = 0;
  for (std::size_t at = 0; at < digits; ++at) {
    if (at >= text.size()) return {std::nullopt, true};
    const auto digit = hexadecimal_digit(text[at]);
    if (!digit) return {};
    value = value << 4U | *digit;
  }
  return {value, false};
}

Escape percent_escape(std::string_view text) {
  if (text.front() != '%') return {};
  const auto code = hexadecimal(text.substr(1), 2);
  if (!code.value) return {.text = {}, .length = 0, .cut = code.cut};
  return {std::string(1, static_cast<char>(*code.value)), 3};
}

// After "\u". A pair of surrogates is one code point.
Escape unicode_escape(std::string_view text) {
  const auto first = hexadecimal(text.substr(2), 4);
  if (!first.value) return {.text = {}, .length = 0, .cut = first.cut};
  char32_t code_point = *first.value;
  std::size_t length = 6;
  if (code_point >= 0xD800 && code_point <= 0xDBFF) {
    const auto rest = text.substr(6);
    constexpr std::string_view kNext = "\\u";
    if (rest.size() < kNext.size() && kNext.starts_with(rest)) return {.text = {}, .length = 0, .cut = true};
    const auto second = rest.starts_with(kNext) ? hexadecimal(rest.substr(2), 4) : Hexadecimal{};
    if (second.cut) return {.text = {}, .length = 0, .cut = true};
    if (!second.value || *second.value < 0xDC00 || *second.value > 0xDFFF) return {};
    code_point = 0x10000 + ((code_point - 0xD800) << 10U) + (*second.value - 0xDC00);
    length = 12;
  }
  std::string bytes;
  append_utf8(bytes, code_point);
  return {std::move(bytes), length};
}

Escape backslash_escape(std::string_view text) {
  for (const std::string_view quote : {R"('\'')", R"('"'"')"}) {
    if (text.starts_with(quote)) return {"'", quote.size()};
    if (text.size() > 1 && quote.starts_with(text)) return {.text = {}, .length = 0, .cut = true};
  }
  if (text.front() != '\\') return {};
  if (text.size() == 1) return {.text = {}, .length = 0, .cut = true};
  switch (text[1]) {
    case 'n':
      return {"\n", 2};
    case 't':
      return {"\t", 2};
    case 'r':
      return {"\r", 2};
    case 'b':
      return {"\b", 2};
    case 'f':
      return {"\f", 2};
    case 'u':
      return unicode_escape(text);
    default:
      return {std::string(1, text[1]), 2};
  }
}

std::optional<DecodedText> decoded(std::string_view text, std::string_view starts, Escape (*escape)(std::string_view)) {
  auto next = text.find_first_of(starts);
  if (next == std::string_view::npos) return std::nullopt;
  DecodedText result;
  result.text.reserve(text.size());
  result.origins.reserve(text.size() + 1);
  bool any = false;
  bool is_cut = false;
  std::size_t at = 0;
  while (at < text.size()) {
    const bool may_be_one = starts.find(text[at]) != std::string_view::npos;
    const auto found = may_be_one ? escape(text.substr(at)) : Escape{};
    if (found.cut && !is_cut) result.settled = result.text.size();
    is_cut = is_cut || found.cut;
    any = any || found.length > 0;
    if (found.length == 0) {
      result.text += text[at];
    } else {
      result.text += found.text;
    }
    result.origins.resize(result.text.size(), at);
    at += found.length == 0 ? 1 : found.length;
  }
  if (!any && !is_cut) return std::nullopt;
  if (!is_cut) result.settled = result.text.size();
  result.origins.push_back(at);
  return result;
}

}  // namespace

std::optional<DecodedText> percent_decoded(std::string_view text) { return decoded(text, "%", percent_escape); }

std::optional<DecodedText> unescaped(std::string_view text) { return decoded(text, "\\'", backslash_escape); }

std::string base64_within(std::string_view part, std::size_t offset, bool for_urls) {
  static constexpr std::string_view kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
  const auto bit = [&](std::size_t at) {
    return static_cast<unsigned>(static_cast<unsigned char>(part[at / 8])) >> (7 - at % 8) & 1U;
  };
  std::string result;
  // Characters begin every six bits of the longer text.
  for (std::size_t at = (6 - offset * 8 % 6) % 6; at + 6 <= part.size() * 8; at += 6) {
    unsigned value = 0;
    for (std::size_t next = at; next < at + 6; ++next) value = value << 1U | bit(next);
    result += value < 62 ? kDigits[value] : for_urls ? "-_"[value - 62] : "+/"[value - 62];
  }
  return result;
}

bool is_base64_character(char character) {
  return (character >= 'A' && character <= 'Z') || (character >= 'a' && character <= 'z') ||
         (character >= '0' && character <= '9') || std::string_view("+/-_").find(character) != std::string_view::npos;
}

}  // namespace pushrod
