// The imaginary terminal row on which a line of output is drawn.
// Used inside base/ only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace pushrod {

class Redactor;

struct TerminalStyle {
  std::uint32_t foreground = 0;
  std::uint32_t background = 0;
  std::uint32_t attributes = 0;  // bit n: SGR n (1 bold, 2 faint, 3 italic, 4 underlined, 7 reversed, 9 struck out)

  bool operator==(const TerminalStyle&) const = default;
};

class TerminalRow {
 public:
  // More cells than that are cut.
  explicit TerminalRow(std::size_t most_cells) : most_cells_(most_cells) {}

  void print(char32_t code_point);
  void print_mark();  // "[redacted]"
  void carriage_return() { column_ = 0; }
  void backspace() { column_ -= column_ > 0 ? 1 : 0; }
  // `final` is the byte that ends the control sequence and says what it is.
  void control_sequence(std::string_view parameters, char final);

  // Replaces the secrets that can be read on the row with marks; colours do not count.
  // Returns how many cells from the left can be shown; if the line is not whole, a secret may have begun in the others.
  std::size_t hide_secrets(const Redactor& redactor, bool is_whole);

  std::size_t size() const { return cells_.size(); }
  // The end of the longest piece from this cell that has at most so many bytes without its colours.
  std::size_t end_of_piece(std::size_t begin, std::size_t longest) const;
  std::string render(std::size_t begin, std::size_t end, bool with_colours) const;
  std::string render(bool with_colours) const;
  void erase_before(std::size_t end);
  void clear();

 private:
  struct Cell {
    char32_t code_point = ' ';
    TerminalStyle style;
    bool is_mark = false;
  };
  struct ReadableText {
    std::string text;
    std::vector<std::size_t> cells;  // one per byte of the text, and the row's size
  };

  ReadableText readable() const;
  void replace_by_mark(std::size_t begin, std::size_t end);
  void erase(std::uint32_t which);
  void select_graphic_rendition(const std::vector<std::uint32_t>& numbers);
  void extended_colour(const std::vector<std::uint32_t>& numbers, std::size_t& at);

  std::size_t most_cells_;
  std::vector<Cell> cells_;
  std::size_t column_ = 0;
  TerminalStyle style_;
  bool cut_ = false;
};

}  // namespace pushrod
