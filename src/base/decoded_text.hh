// Text with its escapes decoded, and for each byte the place where it came from. The redactor searches this form, so it
// finds secrets in each way to write them. Used inside base/ only.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pushrod {

struct DecodedText {
  std::string text;
  std::vector<std::size_t> origins;  // one per byte of it, and where the text ends
  // How many of its bytes stay as they are if the text goes on: after them, an escape begins that its end cuts.
  std::size_t settled = 0;
};

// "%20" as in URLs, in either case; absent when there is none.
std::optional<DecodedText> percent_decoded(std::string_view text);
// "\n", "\u00e4", "\/", "\"" as in JSON, a backslash before anything else as shells write it, and a quote in a shell's
// quotes ('\'' and '"'"'); absent when there is none.
std::optional<DecodedText> unescaped(std::string_view text);

// What of the base64 of a longer text depends on this part of it alone, when so many bytes precede it (0, 1 or 2,
// modulo 3): without a first and last character that tell of its neighbours as well.
std::string base64_within(std::string_view part, std::size_t offset, bool for_urls);
bool is_base64_character(char character);

}  // namespace pushrod
