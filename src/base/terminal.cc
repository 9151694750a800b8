// One line of somebody's output, drawn on an imaginary terminal row and written out again from what remained visible.
// Floor 0: build output and app logs pass here on their way to a person. Only printable text and colours that we wrote
// ourselves come out, so nothing that the line contained can steer the reader's terminal.
#include "base/text.hh"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <vector>

#include "base/utf8.hh"

namespace pushrod {

namespace {

constexpr char32_t kReplacement = 0xFFFD;
// A row longer than this is cut: nobody reads it, and a build could make us hold all of its output as cells.
constexpr std::size_t kMaxCells = 262'144;

// A colour is its SGR parameters without the leading 38 or 48: kind in the high byte, value below.
enum ColourKind : std::uint32_t { kDefault = 0, kBasic = 1, kIndexed = 2, kRgb = 3 };
constexpr std::uint32_t colour(ColourKind kind, std::uint32_t value) { return kind << 24 | value; }

struct Style {
  std::uint32_t foreground = 0;
  std::uint32_t background = 0;
  std::uint32_t attributes = 0;  // bit n: SGR n (1 bold, 2 faint, 3 italic, 4 underlined, 7 reversed, 9 struck out)

  bool operator==(const Style&) const = default;
};

struct Cell {
  char32_t code_point = ' ';
  Style style;
};

void append_colour(std::string& parameters, std::uint32_t value, bool background) {
  const std::uint32_t number = value & 0xFFFFFF;
  const int base = background ? 10 : 0;
  switch (value >> 24) {
    case kBasic:
      parameters += fmt::format(";{}", number + base);
      break;
    case kIndexed:
      parameters += fmt::format(";{};5;{}", 38 + base, number);
      break;
    case kRgb:
      parameters += fmt::format(";{};2;{};{};{}", 38 + base, number >> 16, (number >> 8) & 0xFF, number & 0xFF);
      break;
    default:
      break;
  }
}

std::string select_style(const Style& from, const Style& to) {
  if (to == Style{}) return "\x1b[0m";
  std::string parameters = from == Style{} ? "" : ";0";
  for (const unsigned attribute : {1U, 2U, 3U, 4U, 7U, 9U}) {
    if ((to.attributes >> attribute & 1U) != 0) parameters += fmt::format(";{}", attribute);
  }
  append_colour(parameters, to.foreground, false);
  append_colour(parameters, to.background, true);
  return "\x1b[" + parameters.substr(1) + "m";
}

// The numbers of a control sequence. An empty one is 0; whatever is no number (sub-parameters with ':', private
// markers) is kNoNumber and ignored.
constexpr std::uint32_t kNoNumber = ~0U;
std::vector<std::uint32_t> parameters_of(std::string_view text) {
  std::vector<std::uint32_t> numbers;
  for (const std::string& part : split(text, ';')) {
    std::uint32_t number = 0;
    const auto [end, error] = std::from_chars(part.data(), part.data() + part.size(), number);
    const bool whole = part.empty() || (error == std::errc{} && end == part.data() + part.size());
    numbers.push_back(whole ? number : kNoNumber);
  }
  return numbers;
}

class Row {
 public:
  void print(char32_t code_point) {
    if (column_ >= kMaxCells) {
      cut_ = true;
      return;
    }
    if (column_ >= cells_.size()) cells_.resize(column_ + 1);
    cells_[column_++] = {code_point, style_};
  }
  void carriage_return() { column_ = 0; }
  void backspace() { column_ -= column_ > 0 ? 1 : 0; }

  // `final` is the byte that ends the control sequence and says what it is.
  void control_sequence(std::string_view text, char final) {
    // A private marker makes it something else than its final byte says.
    if (text.size() > 128 || (!text.empty() && text.front() >= '<')) return;
    const std::vector<std::uint32_t> numbers = parameters_of(text);
    if (final == 'm') {
      select_graphic_rendition(numbers);
    } else if (final == 'K') {
      erase(numbers.front());
    } else if (final == 'G' && numbers.front() <= 1) {
      carriage_return();
    }
  }

  std::string render(bool with_colours) const {
    std::string text;
    Style current;
    for (const Cell& cell : cells_) {
      if (with_colours && cell.style != current) text += select_style(current, cell.style);
      current = cell.style;
      append_utf8(text, cell.code_point);
    }
    if (with_colours && current != Style{}) text += "\x1b[0m";
    if (cut_) text += "…";
    return text;
  }

 private:
  void erase(std::uint32_t which) {
    if (which == 0 && column_ < cells_.size()) cells_.resize(column_);
    if (which == 1) {
      for (std::size_t at = 0; at < cells_.size() && at <= column_; ++at) cells_[at] = Cell{};
    }
    if (which == 2) cells_.clear();
  }

  void select_graphic_rendition(const std::vector<std::uint32_t>& numbers) {
    for (std::size_t at = 0; at < numbers.size(); ++at) {
      const std::uint32_t number = numbers[at];
      const auto within = [&](std::uint32_t first, std::uint32_t last) { return number >= first && number <= last; };
      if (number == 0) style_ = {};
      if (within(1, 4) || number == 7 || number == 9) style_.attributes |= 1U << number;
      if (number == 22) style_.attributes &= ~(1U << 1 | 1U << 2);
      if (number == 23 || number == 24 || number == 27 || number == 29) style_.attributes &= ~(1U << (number - 20));
      if (within(30, 37) || within(90, 97)) style_.foreground = colour(kBasic, number);
      if (within(40, 47) || within(100, 107)) style_.background = colour(kBasic, number - 10);
      if (number == 39) style_.foreground = 0;
      if (number == 49) style_.background = 0;
      if (number == 38 || number == 48) extended_colour(numbers, at);
    }
  }

  // 38;5;index and 38;2;red;green;blue; leaves `at` on the last number it used.
  void extended_colour(const std::vector<std::uint32_t>& numbers, std::size_t& at) {
    std::uint32_t& target = numbers[at] == 38 ? style_.foreground : style_.background;
    const auto number = [&](std::size_t offset) {
      return at + offset < numbers.size() ? numbers[at + offset] : kNoNumber;
    };
    if (number(1) == 5 && number(2) <= 255) {
      target = colour(kIndexed, number(2));
      at += 2;
    } else if (number(1) == 2 && number(2) <= 255 && number(3) <= 255 && number(4) <= 255) {
      target = colour(kRgb, number(2) << 16 | number(3) << 8 | number(4));
      at += 4;
    } else {
      at = numbers.size();
    }
  }

  std::vector<Cell> cells_;
  std::size_t column_ = 0;
  Style style_;
  bool cut_ = false;
};

bool within(char byte, char first, char last) { return byte >= first && byte <= last; }

// After "ESC [": returns how many bytes the control sequence takes. A malformed one ends before the byte that broke it.
std::size_t take_control_sequence(std::string_view text, Row& row) {
  std::size_t at = 0;
  while (at < text.size() && within(text[at], 0x30, 0x3F)) ++at;
  const std::size_t parameters_end = at;
  while (at < text.size() && within(text[at], 0x20, 0x2F)) ++at;
  if (at == text.size() || !within(text[at], 0x40, 0x7E)) return at;
  if (at == parameters_end) row.control_sequence(text.substr(0, at), text[at]);
  return at + 1;
}

// After the introducer of an OSC, DCS, SOS, PM or APC: its length with its terminator. As on a terminal, one without a
// terminator swallows the rest.
std::size_t control_string_length(std::string_view text, bool ends_with_bell) {
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (ends_with_bell && text[at] == '\a') return at + 1;
    const std::string_view two = text.substr(at, 2);
    if (two == "\x1b\\" || two == "\xC2\x9C") return at + 2;
  }
  return text.size();
}

// `text` follows an introducer, which is either ESC and `kind`, or the C1 code point that means the same.
std::size_t take_escape(char kind, std::string_view text, Row& row) {
  switch (kind) {
    case '[':
      return take_control_sequence(text, row);
    case ']':
      return control_string_length(text, true);
    case 'P':
    case 'X':
    case '^':
    case '_':
      return control_string_length(text, false);
    default:
      break;
  }
  if (!within(kind, 0x20, 0x2F)) return 0;
  std::size_t at = 0;  // ESC ( B and its like: intermediates, then one final byte
  while (at < text.size() && within(text[at], 0x20, 0x2F)) ++at;
  return at < text.size() && within(text[at], 0x30, 0x7E) ? at + 1 : at;
}

std::string neutralised(std::string_view line, bool with_colours) {
  Row row;
  while (!line.empty()) {
    const DecodedCodePoint decoded = decode_utf8(line);
    line.remove_prefix(decoded.length);
    if (!decoded.valid || is_deceptive(decoded.value)) {
      row.print(kReplacement);
    } else if (decoded.value == 0x1B) {
      if (line.empty() || !within(line.front(), 0x20, 0x7E)) continue;
      const char kind = line.front();
      line.remove_prefix(1);
      line.remove_prefix(take_escape(kind, line, row));
    } else if (decoded.value >= 0x80 && decoded.value <= 0x9F) {
      line.remove_prefix(take_escape(static_cast<char>(decoded.value - 0x40), line, row));
    } else if (decoded.value == '\r') {
      row.carriage_return();
    } else if (decoded.value == '\b') {
      row.backspace();
    } else if (decoded.value == '\n' || decoded.value == '\v' || decoded.value == '\f') {
      row.print(' ');
    } else if (decoded.value == '\t' || !is_control(decoded.value)) {
      row.print(decoded.value);
    }
  }
  return row.render(with_colours);
}

}  // namespace

std::string terminal_safe(std::string_view line) { return neutralised(line, true); }

std::string plain_text(std::string_view line) { return neutralised(line, false); }

}  // namespace pushrod
