// One pass over the text: skips strings and comments, counts arrays, inline tables and the parts of keys.
// toml_section.cc asks before it parses.
#include "config/toml_nesting.hh"

#include <algorithm>
#include <cctype>
#include <string>
#include <vector>

namespace pushrod {

namespace {

class NestingScanner {
 public:
  NestingScanner(std::string_view text, std::size_t limit) : text_(text), limit_(limit) {}

  std::optional<std::size_t> scan() {
    while (at_ < text_.size()) {
      step();
      if (depth() > limit_) return line_;
    }
    return std::nullopt;
  }

  std::optional<TomlProblem> find_problem() {
    while (at_ < text_.size()) {
      if (const auto* problem = problem_of(text_[at_])) return TomlProblem{line_, problem};
      step();
    }
    return std::nullopt;
  }

 private:
  // What is open: the top level, an inline table, or an array.
  struct Level {
    bool is_array = false;
    bool in_value = false;      // right of a "="
    std::size_t key_parts = 0;  // of the key at hand
  };

  // Of a character that is neither in a string nor in a comment.
  const char* problem_of(char character) {
    if (static_cast<unsigned char>(character) >= 0x80) return "a non-ASCII character must be in quotes";
    if (brackets_ == 0) return nullptr;
    if (character == ' ' || character == '\t') return nullptr;
    if (character == '[' && brackets_ == 1) return nullptr;
    const bool begins_key = character == '"' || character == '\'' || character == '-' || character == '_' ||
                            std::isalnum(static_cast<unsigned char>(character)) != 0;
    if (!begins_key && character != ']') return "the name of a table must follow \"[\"";
    brackets_ = 0;
    return nullptr;
  }

  std::size_t depth() const {
    return header_parts_ + open_parts_ + levels_.back().key_parts + (levels_.back().is_array ? 1 : 0);
  }

  void step() {
    const char character = text_[at_++];
    Level& level = levels_.back();
    switch (character) {
      case '\n':
        end_line();
        return;
      case '#':
        at_ = std::min(text_.find('\n', at_), text_.size());
        return;
      case '"':
      case '\'':
        note_key();
        skip_string(character);
        return;
      case '=':
        note_key();
        level.in_value = true;
        return;
      case '.':
        if (in_header_) {
          ++header_parts_;
        } else if (!level.in_value) {
          ++level.key_parts;
        }
        return;
      case ',':
        if (level.is_array || levels_.size() == 1) return;
        level.in_value = false;
        level.key_parts = 0;
        return;
      case '[':
      case '{':
        open(character == '[');
        return;
      case ']':
      case '}':
        close();
        return;
      case ' ':
      case '\t':
      case '\r':
        return;
      default:
        note_key();
        return;
    }
  }

  // The first character of a key is its first part.
  void note_key() {
    Level& level = levels_.back();
    if (!in_header_ && !level.in_value && level.key_parts == 0) level.key_parts = 1;
  }

  void open(bool is_array) {
    Level& level = levels_.back();
    if (!level.in_value) {
      if (levels_.size() > 1 || !is_array) return;  // no TOML
      // "[[x]]" is a table in an array: one level more than "[x]".
      header_parts_ = in_header_ ? header_parts_ + 1 : 1;
      ++brackets_;
      in_header_ = true;
      return;
    }
    // The elements of an array are a level; an inline table's level are its keys.
    open_parts_ += level.key_parts + (level.is_array ? 1 : 0);
    levels_.push_back({is_array, is_array, 0});
  }

  void close() {
    if (levels_.size() == 1) return;
    levels_.pop_back();
    open_parts_ -= levels_.back().key_parts + (levels_.back().is_array ? 1 : 0);
  }

  void end_line() {
    ++line_;
    if (levels_.size() > 1) return;
    levels_.back() = {};
    in_header_ = false;
    brackets_ = 0;
  }

  void skip_string(char quote) {
    const bool is_long = text_.substr(at_, 2) == std::string_view(quote == '"' ? "\"\"" : "''");
    if (is_long) at_ += 2;
    while (at_ < text_.size()) {
      const char character = text_[at_];
      if (character == '\n') {
        if (!is_long) return;  // no TOML
        ++line_;
      }
      ++at_;
      if (character == '\\' && quote == '"' && at_ < text_.size() && text_[at_] != '\n') ++at_;
      if (character != quote) continue;
      if (!is_long) return;
      if (text_.substr(at_, 2) != std::string(2, quote)) continue;
      at_ += 2;
      // Up to two quotes of the content may stand before the three that end it.
      for (int more = 0; more < 2 && at_ < text_.size() && text_[at_] == quote; ++more) ++at_;
      return;
    }
  }

  std::string_view text_;
  std::size_t limit_;
  std::size_t at_ = 0;
  std::size_t line_ = 1;
  std::size_t header_parts_ = 0;
  bool in_header_ = false;
  std::size_t brackets_ = 0;    // those of a header whose first key has not begun
  std::size_t open_parts_ = 0;  // key parts of all levels below the last
  std::vector<Level> levels_{Level{}};
};

}  // namespace

std::optional<std::size_t> line_nested_deeper(std::string_view text, std::size_t limit) {
  return NestingScanner(text, limit).scan();
}

std::optional<TomlProblem> problem_of_toml(std::string_view text) { return NestingScanner(text, 0).find_problem(); }

}  // namespace pushrod
