// Text of unknown origin made fit for a message, and words made fit for a shell.
// Everything that a user or an app controls passes here before it is printed.
#include "base/text.hh"

#include <fmt/format.h>

#include "base/error.hh"
#include "base/utf8.hh"

namespace pushrod {

namespace {

std::string escape_of(const DecodedCodePoint& decoded, char first_byte) {
  if (!decoded.valid) return fmt::format("\\x{:02x}", static_cast<unsigned char>(first_byte));
  switch (decoded.value) {
    case '\n':
      return "\\n";
    case '\r':
      return "\\r";
    case '\t':
      return "\\t";
    default:
      break;
  }
  const auto value = static_cast<std::uint32_t>(decoded.value);
  if (value < 0x80) return fmt::format("\\x{:02x}", value);
  return value < 0x10000 ? fmt::format("\\u{:04x}", value) : fmt::format("\\U{:08x}", value);
}

std::string escape_all(std::string_view text, std::size_t max_bytes, bool within_quotes) {
  std::string result;
  while (!text.empty()) {
    const DecodedCodePoint decoded = decode_utf8(text);
    std::string piece;
    if (!decoded.valid || is_control(decoded.value) || is_deceptive(decoded.value)) {
      piece = escape_of(decoded, text.front());
    } else if (decoded.value == '\\' || (within_quotes && decoded.value == '"')) {
      piece = {'\\', text.front()};
    } else {
      piece = text.substr(0, decoded.length);
    }
    // Whole escapes only: half of one would say something else.
    if (result.size() + piece.size() > max_bytes) return result + "…";
    result += piece;
    text.remove_prefix(decoded.length);
  }
  return result;
}

bool needs_no_shell_quotes(std::string_view text) {
  constexpr std::string_view kPlain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_@%+=:,./-";
  if (text.empty() || text.find_first_not_of(kPlain) != std::string_view::npos) return false;
  // In front of a command, name=value would be an assignment.
  return text.front() == '-' || text.find('=') == std::string_view::npos;
}

}  // namespace

bool is_valid_utf8(std::string_view text) {
  while (!text.empty()) {
    const DecodedCodePoint decoded = decode_utf8(text);
    if (!decoded.valid) return false;
    text.remove_prefix(decoded.length);
  }
  return true;
}

std::string Quoted::operator()(std::string_view text, std::size_t max_bytes) const {
  return '"' + escape_all(text, max_bytes, true) + '"';
}

std::string escaped(std::string_view text, std::size_t max_bytes) { return escape_all(text, max_bytes, false); }

std::string shell_quoted(std::string_view text) {
  if (text.find('\0') != std::string_view::npos) throw Error("a shell word cannot hold a NUL byte: " + quoted(text));
  if (needs_no_shell_quotes(text)) return std::string(text);
  std::string result = "'";
  for (const char character : text) {
    if (character == '\'') {
      result += "'\\''";
    } else {
      result += character;
    }
  }
  return result + "'";
}

}  // namespace pushrod
