// A line of a program's output on its way to a person, in chunks as they come: made safe for a terminal, without
// secrets, and in pieces that are not too long.
// Secrets are taken out of the bytes as they are, and of what a terminal would show of them: colours,
// backspaces and control characters can neither hide a secret from the search nor cut it, and neither can the end of a
// chunk or of a piece.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/redactor.hh"
#include "base/terminal_filter.hh"
#include "base/terminal_row.hh"

namespace pushrod {

class OutputLine {
 public:
  // The redactor must outlive it; secrets may be added to it between lines.
  explicit OutputLine(const Redactor& redactor) : redactor_(redactor) {}

  void add(std::string_view bytes) { raw_ += bytes; }
  // Full: the line goes on; pieces of that length only. Settled: it may not go on for long; all of it but what may be
  // the beginning of a secret. End: all of it; the next bytes begin a new line.
  enum class Until { Full, Settled, End };
  // The pieces have at most so many bytes, not counting colours. An empty line is one empty piece at its end.
  std::vector<std::string> take(std::size_t longest, Until until);

  // Has anything been added since the last end?
  bool is_begun() const { return was_taken_ || !raw_.empty() || row_.size() > 0; }

 private:
  void draw(bool is_whole);

  const Redactor& redactor_;
  std::string raw_;  // not on the row yet
  TerminalFilter filter_;
  TerminalRow row_{std::string::npos};
  bool was_taken_ = false;  // a part of the line
};

// The whole of a line.
std::string terminal_safe(std::string_view line, const Redactor& redactor);

}  // namespace pushrod
