// Reads a line of output as a terminal does, in chunks as they come, and draws it on a row.
// Used inside base/ only. Anything but text and colour is removed, so that nothing in a line can steer the
// reader's terminal.
#pragma once

#include <string>
#include <string_view>

#include "base/terminal_row.hh"

namespace pushrod {

class TerminalFilter {
 public:
  // A code point or an escape sequence that is not complete is remembered.
  void feed(std::string_view bytes, TerminalRow& row);
  // The line ends here. An escape sequence that is not complete is dropped; the bytes of an incomplete code point count
  // as invalid.
  void end(TerminalRow& row);

 private:
  // Text: nothing special. Escape: after ESC. Designation: after ESC and bytes 0x20-0x2F. Control: after "ESC [", the
  // parameters. ControlTail: its bytes 0x20-0x2F, after which the sequence is none that we know. String: an OSC, DCS,
  // SOS, PM or APC, until its terminator; as on a terminal, one without a terminator swallows the rest. StringEscape:
  // after an ESC in it.
  enum class State { Text, Escape, Designation, Control, ControlTail, String, StringEscape };

  void take(char32_t code_point, bool valid, TerminalRow& row);
  void take_text(char32_t code_point, bool valid, TerminalRow& row);
  void begin_sequence(char kind);

  State state_ = State::Text;
  bool ends_with_bell_ = false;
  std::string parameters_;
  std::string pending_;  // the beginning of a code point
};

}  // namespace pushrod
