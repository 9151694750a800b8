// .env files.
#include "config/dotenv.hh"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "base/error.hh"
#include "base/text.hh"
#include "config/text_file.hh"
#include "model/environment.hh"

namespace pushrod {

namespace {

constexpr std::size_t kLongestShownName = 40;

bool is_blank(char character) { return character == ' ' || character == '\t' || character == '\r'; }

class Reader {
 public:
  Reader(const std::string& text, const std::string& file_name) : text_(text), file_name_(file_name) {}

  bool at_end() const { return at_ >= text_.size(); }
  char here() const { return at_end() ? '\n' : text_[at_]; }
  char take() {
    const char character = text_[at_++];
    if (character == '\n') ++line_;
    return character;
  }
  void skip_blanks() {
    while (!at_end() && is_blank(here())) ++at_;
  }
  void skip_line() {
    while (!at_end() && take() != '\n') {
    }
  }
  bool skip_word(std::string_view word) {
    if (text_.compare(at_, word.size(), word) != 0) return false;
    at_ += word.size();
    return true;
  }

  [[noreturn]] void refuse(const std::string& why, const std::string& hint) const { refuse_at(line_, why, hint); }
  [[noreturn]] void refuse_at(unsigned line, const std::string& why, const std::string& hint) const {
    throw UserError(fmt::format("{}:{}: {}", file_name_, line, why), hint);
  }
  unsigned line() const { return line_; }

 private:
  const std::string& text_;
  const std::string& file_name_;
  std::size_t at_ = 0;
  unsigned line_ = 1;
};

// Of a value over several lines without quotes, such as a PEM file, any part may stand where a name is expected. So a
// name is shown only when it looks like one.
bool looks_like_name(const std::string& text) {
  const auto fits = [](unsigned char byte) { return std::isalnum(byte) != 0 || byte == '_'; };
  return text.size() <= kLongestShownName && std::all_of(text.begin(), text.end(), fits);
}

SettingName read_name(Reader& reader) {
  std::string name;
  while (!reader.at_end() && reader.here() != '=' && reader.here() != '\n') name += reader.take();
  while (!name.empty() && is_blank(name.back())) name.pop_back();
  if (reader.at_end() || reader.here() == '\n') reader.refuse("missing '='", "write NAME=value");
  reader.take();
  try {
    auto parsed = SettingName::parse(name);
    check_not_reserved(name);
    return parsed;
  } catch (const UserError& error) {
    if (looks_like_name(name)) reader.refuse(error.message(), error.hint());
    reader.refuse("the text before '=' is not a valid setting name",
                  "use letters, digits and '_' in names, and put a value of several lines in quotes");
  }
}

std::string read_bare(Reader& reader) {
  std::string value;
  while (!reader.at_end() && reader.here() != '\n') {
    if (reader.here() == '#' && (value.empty() || is_blank(value.back()))) break;
    value += reader.take();
  }
  while (!value.empty() && is_blank(value.back())) value.pop_back();
  if (!is_valid_utf8(value)) reader.refuse("not valid UTF-8", "save the file as UTF-8");
  return value;
}

char unescaped(char character) {
  switch (character) {
    case 'n':
      return '\n';
    case 'r':
      return '\r';
    case 't':
      return '\t';
    default:
      return character;
  }
}

std::string read_quoted(Reader& reader) {
  const auto line = reader.line();
  const char quote = reader.take();
  std::string value;
  while (!reader.at_end() && reader.here() != quote) {
    const char character = reader.take();
    const bool escapes = quote == '"' && character == '\\' && !reader.at_end();
    if (escapes && std::string_view("nrt\"\\$").find(reader.here()) != std::string_view::npos) {
      value += unescaped(reader.take());
    } else {
      value += character;
    }
  }
  if (reader.at_end())
    reader.refuse_at(line, fmt::format("the value has no closing {}", quote), "add it at the end of the value");
  reader.take();
  reader.skip_blanks();
  if (!reader.at_end() && reader.here() != '\n' && reader.here() != '#') {
    reader.refuse("unexpected text after the closing quote", "put the whole value inside the quotes");
  }
  return value;
}

std::string quoted_value(const std::string& value) {
  std::string text = "\"";
  for (const char character : value) {
    switch (character) {
      case '\n':
        text += "\\n";
        break;
      case '\r':
        text += "\\r";
        break;
      case '"':
      case '\\':
      case '$':
        text += '\\';
        [[fallthrough]];
      default:
        text += character;
    }
  }
  return text + "\"";
}

}  // namespace

DotenvEntries parse_dotenv(const std::string& bytes, const std::string& file_name) {
  const std::string text = decode_text(bytes, file_name, OtherBytes::Keep);
  DotenvEntries entries;
  Reader reader(text, file_name);
  while (!reader.at_end()) {
    reader.skip_blanks();
    if (reader.here() == '\n' || reader.here() == '#') {
      reader.skip_line();
      continue;
    }
    const auto line = reader.line();
    if (reader.skip_word("export ")) reader.skip_blanks();
    auto name = read_name(reader);
    reader.skip_blanks();
    const bool quotes = !reader.at_end() && (reader.here() == '"' || reader.here() == '\'');
    auto value = quotes ? read_quoted(reader) : read_bare(reader);
    if (std::any_of(entries.begin(), entries.end(), [&](const auto& entry) { return entry.first == name; })) {
      reader.refuse_at(line, fmt::format("{} is set twice", name.str()), "remove one of the two lines");
    }
    reader.skip_line();
    entries.emplace_back(std::move(name), Secret(std::move(value)));
  }
  return entries;
}

std::string render_dotenv(const DotenvEntries& entries) {
  std::string text;
  for (const auto& [name, value] : entries) text += fmt::format("{}={}\n", name.str(), quoted_value(value.reveal()));
  return text;
}

}  // namespace pushrod
