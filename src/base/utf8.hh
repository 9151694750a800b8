// UTF-8 as the escaping functions need it: one code point at a time, and which code points deceive a reader.
// Used inside base/ only.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace pushrod {

struct DecodedCodePoint {
  char32_t value = 0;
  std::size_t length = 1;  // bytes taken; 1 when invalid
  bool valid = false;      // false: the byte begins no well-formed sequence (overlong, surrogate, cut, out of range)
};

// text must not be empty.
DecodedCodePoint decode_utf8(std::string_view text);
// Does it begin with the beginning of a code point, whose rest is not there? Not empty.
bool is_cut_utf8(std::string_view text);
void append_utf8(std::string& text, char32_t code_point);

// C0, DEL and C1.
bool is_control(char32_t code_point);
// Invisible code points that reorder, break or hide what surrounds them: bidirectional controls, line and paragraph
// separators, zero-width spaces, tags.
bool is_deceptive(char32_t code_point);
// Code points that take no place of their own (soft hyphens, joiners, variation selectors, fillers), and the
// replacement character: what stands between the letters of a word without making it another one for a reader.
bool is_invisible(char32_t code_point);

}  // namespace pushrod
