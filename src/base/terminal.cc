// One line of a program's output, drawn on an imaginary terminal row and written out again from what remained visible.
// Build output and app logs pass here on their way to a person.
#include "base/terminal_filter.hh"
#include "base/terminal_row.hh"
#include "base/text.hh"

namespace pushrod {

namespace {

// A row longer than this is cut; otherwise a build could make this process hold all of its output as cells.
constexpr std::size_t kMaxCells = 262'144;

std::string neutralised(std::string_view line, bool with_colours) {
  TerminalRow row(kMaxCells);
  TerminalFilter filter;
  filter.feed(line, row);
  filter.end(row);
  return row.render(with_colours);
}

}  // namespace

std::string terminal_safe(std::string_view line) { return neutralised(line, true); }

std::string plain_text(std::string_view line) { return neutralised(line, false); }

}  // namespace pushrod
