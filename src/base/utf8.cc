// Strict UTF-8 decoding.
// What escape.cc and terminal.cc stand on.
#include "base/utf8.hh"

#include <algorithm>
#include <array>

namespace pushrod {

DecodedCodePoint decode_utf8(std::string_view text) {
  const auto byte = [&](std::size_t at) { return static_cast<unsigned char>(text[at]); };
  const unsigned first = byte(0);
  if (first < 0x80) return {first, 1, true};
  const std::size_t length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
  if (first < 0xC2 || first > 0xF4 || text.size() < length) return {};
  char32_t value = first & (0x7FU >> length);
  for (std::size_t at = 1; at < length; ++at) {
    if ((byte(at) & 0xC0U) != 0x80) return {};
    value = (value << 6) | (byte(at) & 0x3FU);
  }
  constexpr std::array<char32_t, 5> kSmallest{0, 0, 0x80, 0x800, 0x10000};
  const bool surrogate = value >= 0xD800 && value <= 0xDFFF;
  if (value < kSmallest[length] || value > 0x10FFFF || surrogate) return {};
  return {value, length, true};
}

bool is_cut_utf8(std::string_view text) {
  const auto first = static_cast<unsigned char>(text.front());
  if (first < 0xC2 || first > 0xF4) return false;
  if (text.size() >= (first >= 0xF0 ? 4U : first >= 0xE0 ? 3U : 2U)) return false;
  return std::all_of(text.begin() + 1, text.end(),
                     [](char byte) { return (static_cast<unsigned char>(byte) & 0xC0U) == 0x80; });
}

void append_utf8(std::string& text, char32_t code_point) {
  const auto add = [&](char32_t byte) { text.push_back(static_cast<char>(byte)); };
  if (code_point < 0x80) {
    add(code_point);
  } else if (code_point < 0x800) {
    add(0xC0 | (code_point >> 6));
    add(0x80 | (code_point & 0x3F));
  } else if (code_point < 0x10000) {
    add(0xE0 | (code_point >> 12));
    add(0x80 | ((code_point >> 6) & 0x3F));
    add(0x80 | (code_point & 0x3F));
  } else {
    add(0xF0 | (code_point >> 18));
    add(0x80 | ((code_point >> 12) & 0x3F));
    add(0x80 | ((code_point >> 6) & 0x3F));
    add(0x80 | (code_point & 0x3F));
  }
}

bool is_control(char32_t code_point) { return code_point < 0x20 || (code_point >= 0x7F && code_point <= 0x9F); }

bool is_deceptive(char32_t code_point) {
  const auto within = [&](char32_t first, char32_t last) { return code_point >= first && code_point <= last; };
  return code_point == 0x061C || code_point == 0x200B || code_point == 0xFEFF || within(0x200E, 0x200F) ||
         within(0x2028, 0x202E) || within(0x2060, 0x206F) || within(0xFFF9, 0xFFFB) || within(0xE0000, 0xE007F);
}

bool is_invisible(char32_t code_point) {
  if (code_point < 0x80) return false;
  const auto within = [&](char32_t first, char32_t last) { return code_point >= first && code_point <= last; };
  return code_point == 0xAD || code_point == 0x34F || within(0x115F, 0x1160) || within(0x17B4, 0x17B5) ||
         within(0x180B, 0x180F) || within(0x200C, 0x200D) || code_point == 0x3164 || within(0xFE00, 0xFE0F) ||
         code_point == 0xFFA0 || code_point == 0xFFFD || within(0x1BCA0, 0x1BCA3) || within(0x1D173, 0x1D17A) ||
         within(0xE0100, 0xE01EF);
}

}  // namespace pushrod
