// The states of a terminal's parser.
#include "base/terminal_filter.hh"

#include "base/utf8.hh"

namespace pushrod {

namespace {

constexpr char32_t kReplacement = 0xFFFD;
constexpr std::size_t kMostParameters = 128;

bool within(char32_t value, char32_t first, char32_t last) { return value >= first && value <= last; }

}  // namespace

void TerminalFilter::feed(std::string_view bytes, TerminalRow& row) {
  std::string joined;
  if (!pending_.empty()) {
    joined = std::move(pending_) + std::string(bytes);
    pending_.clear();
    bytes = joined;
  }
  while (!bytes.empty()) {
    if (is_cut_utf8(bytes)) {
      pending_ = bytes;
      return;
    }
    const auto decoded = decode_utf8(bytes);
    bytes.remove_prefix(decoded.length);
    take(decoded.value, decoded.valid, row);
  }
}

void TerminalFilter::end(TerminalRow& row) {
  for (std::size_t count = pending_.size(); count > 0; --count) take(0, false, row);
  pending_.clear();
  state_ = State::Text;
}

// A byte that breaks a sequence is not part of it.
void TerminalFilter::take(char32_t value, bool valid, TerminalRow& row) {
  switch (state_) {
    case State::Text:
      break;
    case State::Escape:
      state_ = State::Text;
      if (!valid || !within(value, 0x20, 0x7E)) break;
      begin_sequence(static_cast<char>(value));
      return;
    case State::Designation:
      if (valid && within(value, 0x20, 0x2F)) return;
      state_ = State::Text;
      if (valid && within(value, 0x30, 0x7E)) return;
      break;
    case State::Control:
      if (valid && within(value, 0x30, 0x3F)) {
        if (parameters_.size() <= kMostParameters) parameters_ += static_cast<char>(value);
        return;
      }
      [[fallthrough]];
    case State::ControlTail: {
      if (valid && within(value, 0x20, 0x2F)) {
        state_ = State::ControlTail;
        return;
      }
      const bool is_known = state_ == State::Control;
      state_ = State::Text;
      if (!valid || !within(value, 0x40, 0x7E)) break;
      if (is_known) row.control_sequence(parameters_, static_cast<char>(value));
      return;
    }
    case State::StringEscape:
      state_ = State::String;
      if (valid && value == '\\') state_ = State::Text;
      if (state_ == State::Text) return;
      [[fallthrough]];
    case State::String:
      if (valid && (value == 0x9C || (ends_with_bell_ && value == '\a'))) state_ = State::Text;
      if (valid && value == 0x1B) state_ = State::StringEscape;
      return;
  }
  take_text(value, valid, row);
}

void TerminalFilter::take_text(char32_t value, bool valid, TerminalRow& row) {
  if (!valid || is_deceptive(value)) {
    row.print(kReplacement);
  } else if (value == 0x1B) {
    state_ = State::Escape;
  } else if (within(value, 0x80, 0x9F)) {
    begin_sequence(static_cast<char>(value - 0x40));  // means what ESC and that byte mean
  } else if (value == '\r') {
    row.carriage_return();
  } else if (value == '\b') {
    row.backspace();
  } else if (value == '\n' || value == '\v' || value == '\f') {
    row.print(' ');
  } else if (value == '\t' || !is_control(value)) {
    row.print(value);
  }
}

void TerminalFilter::begin_sequence(char kind) {
  parameters_.clear();
  ends_with_bell_ = kind == ']';
  if (kind == '[') {
    state_ = State::Control;
  } else if (kind == ']' || kind == 'P' || kind == 'X' || kind == '^' || kind == '_') {
    state_ = State::String;
  } else if (kind >= 0x20 && kind <= 0x2F) {
    state_ = State::Designation;
  }
}

}  // namespace pushrod
