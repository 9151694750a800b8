// Drawing on the row, and writing out what remained visible.
// Only printable text and colours that we wrote ourselves come out.
#include "base/terminal_row.hh"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "base/redactor.hh"
#include "base/text.hh"
#include "base/utf8.hh"

namespace pushrod {

namespace {

// Stands for a mark in text that is searched: no byte of UTF-8.
constexpr char kMarked = '\xFF';

// A colour is its SGR parameters without the leading 38 or 48: kind in the high byte, value below.
enum ColourKind : std::uint32_t { kDefault = 0, kBasic = 1, kIndexed = 2, kRgb = 3 };
constexpr std::uint32_t colour(ColourKind kind, std::uint32_t value) { return kind << 24 | value; }

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

std::string select_style(const TerminalStyle& from, const TerminalStyle& to) {
  if (to == TerminalStyle{}) return "\x1b[0m";
  std::string parameters = from == TerminalStyle{} ? "" : ";0";
  for (const unsigned attribute : {1U, 2U, 3U, 4U, 7U, 9U}) {
    if ((to.attributes >> attribute & 1U) != 0) parameters += fmt::format(";{}", attribute);
  }
  append_colour(parameters, to.foreground, false);
  append_colour(parameters, to.background, true);
  return "\x1b[" + parameters.substr(1) + "m";
}

// The numbers of a control sequence. An empty one is 0; anything else (sub-parameters with ':', private markers) is
// kNoNumber and ignored.
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

}  // namespace

void TerminalRow::print(char32_t code_point) {
  if (column_ >= most_cells_) {
    cut_ = true;
    return;
  }
  if (column_ >= cells_.size()) cells_.resize(column_ + 1);
  cells_[column_++] = {code_point, style_};
}

void TerminalRow::print_mark() {
  for (const char character : Redactor::kMark) {
    print(static_cast<char32_t>(character));
    if (!cut_) cells_[column_ - 1].is_mark = true;
  }
}

void TerminalRow::control_sequence(std::string_view text, char final) {
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

// Without what a reader does not see, or sees only as a replacement character.
TerminalRow::ReadableText TerminalRow::readable() const {
  ReadableText result;
  result.text.reserve(cells_.size());
  result.cells.reserve(cells_.size() + 1);
  for (std::size_t at = 0; at < cells_.size(); ++at) {
    const Cell& cell = cells_[at];
    if (cell.is_mark) {
      result.text += kMarked;
    } else if (!is_invisible(cell.code_point)) {
      append_utf8(result.text, cell.code_point);
    }
    result.cells.resize(result.text.size(), at);
  }
  result.cells.push_back(cells_.size());
  return result;
}

std::size_t TerminalRow::hide_secrets(const Redactor& redactor, bool is_whole) {
  if (redactor.is_empty()) return cells_.size();
  const auto readable_text = readable();
  const auto& [text, places] = readable_text;
  const auto settled = is_whole ? text.size() : redactor.settled(text);
  const auto beyond = cells_.size() - places[settled];
  auto ranges = redactor.find(text);
  // From the right, so that the places of the others stay as they are.
  std::reverse(ranges.begin(), ranges.end());
  for (const auto& range : ranges) {
    if (range.begin < settled) replace_by_mark(places[range.begin], places[range.end - 1] + 1);
  }
  return cells_.size() - beyond;
}

void TerminalRow::replace_by_mark(std::size_t begin, std::size_t end) {
  std::vector<Cell> mark;
  for (const char character : Redactor::kMark) {
    mark.push_back({static_cast<char32_t>(character), cells_[begin].style, true});
  }
  const auto place = cells_.erase(cells_.begin() + static_cast<std::ptrdiff_t>(begin),
                                  cells_.begin() + static_cast<std::ptrdiff_t>(end));
  cells_.insert(place, mark.begin(), mark.end());
  if (column_ >= end) {
    column_ += mark.size() - (end - begin);
  } else if (column_ > begin) {
    column_ = begin + mark.size();
  }
}

std::size_t TerminalRow::end_of_piece(std::size_t begin, std::size_t longest) const {
  std::size_t bytes = 0;
  for (std::size_t at = begin; at < cells_.size(); ++at) {
    const auto code_point = cells_[at].code_point;
    bytes += code_point < 0x80 ? 1 : code_point < 0x800 ? 2 : code_point < 0x10000 ? 3 : 4;
    if (bytes > longest && at > begin) return at;
  }
  return cells_.size();
}

std::string TerminalRow::render(std::size_t begin, std::size_t end, bool with_colours) const {
  std::string text;
  TerminalStyle current;
  for (std::size_t at = begin; at < end; ++at) {
    const Cell& cell = cells_[at];
    if (with_colours && cell.style != current) text += select_style(current, cell.style);
    current = cell.style;
    append_utf8(text, cell.code_point);
  }
  if (with_colours && current != TerminalStyle{}) text += "\x1b[0m";
  if (cut_ && end == cells_.size()) text += "…";
  return text;
}

std::string TerminalRow::render(bool with_colours) const { return render(0, cells_.size(), with_colours); }

void TerminalRow::erase_before(std::size_t end) {
  cells_.erase(cells_.begin(), cells_.begin() + static_cast<std::ptrdiff_t>(end));
  column_ -= std::min(column_, end);
}

void TerminalRow::clear() {
  cells_.clear();
  column_ = 0;
  style_ = {};
  cut_ = false;
}

void TerminalRow::erase(std::uint32_t which) {
  if (which == 0 && column_ < cells_.size()) cells_.resize(column_);
  if (which == 1) {
    for (std::size_t at = 0; at < cells_.size() && at <= column_; ++at) cells_[at] = Cell{};
  }
  if (which == 2) cells_.clear();
}

void TerminalRow::select_graphic_rendition(const std::vector<std::uint32_t>& numbers) {
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
void TerminalRow::extended_colour(const std::vector<std::uint32_t>& numbers, std::size_t& at) {
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

}  // namespace pushrod
