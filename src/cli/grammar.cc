// The grammar, on CLI11.
#include "cli/grammar.hh"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cctype>
#include <limits>

#include "base/error.hh"
#include "base/text.hh"
#include "cli/output.hh"

namespace pushrod {

namespace {

constexpr const char* kVersion = PUSHROD_VERSION;

// U+A78A, which looks like "=", which CLI11 2.4 allows in names of positionals, and which users do not type.
constexpr std::string_view kLookAlike = "\xEA\x9E\x8A";

std::string replace_all(std::string text, std::string_view from, std::string_view to) {
  for (auto at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size())) {
    text.replace(at, from.size(), to);
  }
  return text;
}

// The name under which CLI11 knows a positional.
std::string registered_name(const std::string& name) { return replace_all(name, "=", kLookAlike); }

// "--role ROLE" for what takes a value; what excludes what is said when somebody tries.
class HelpFormat : public CLI::Formatter {
 public:
  std::string make_option_name(const CLI::Option* option, bool is_positional) const override {
    return shown_name(CLI::Formatter::make_option_name(option, is_positional));
  }
  std::string make_option_opts(const CLI::Option* option) const override {
    if (option->get_positional() || option->get_items_expected_max() == 0) return {};
    const auto& names = option->get_lnames();
    if (names.empty()) return " N";
    std::string name = " " + names.front();
    std::transform(name.begin(), name.end(), name.begin(), [](unsigned char letter) { return std::toupper(letter); });
    return name;
  }
};

CLI::App* deepest(CLI::App* command) {
  while (!command->get_subcommands().empty()) command = command->get_subcommands().front();
  return command;
}

std::string full_name(const CLI::App* command) {
  std::string name = command->get_name();
  while ((command = command->get_parent()) != nullptr) name.insert(0, command->get_name() + " ");
  return name;
}

// Its subcommand of this name; null if there is none.
const CLI::App* command_called(const CLI::App* command, const std::string& name) {
  for (const auto* candidate : command->get_subcommands({})) {
    if (candidate->get_name() == name) return candidate;
  }
  return nullptr;
}

// How many words it needs by position.
std::size_t count_needed(const CLI::App* command) {
  const auto options = command->get_options(
      [](const CLI::Option* option) { return option->get_positional() && option->get_required(); });
  return options.size();
}

UsageError no_such_command(const CLI::App* command, const std::string& word) {
  std::vector<std::string> known;
  for (const auto* sub : command->get_subcommands({})) {
    if (!sub->get_group().empty()) known.push_back(sub->get_name());
  }
  const auto meant = nearest(word, known);
  return UsageError(fmt::format("there is no command {}", quoted(word)),
                    meant ? fmt::format("did you mean {}?", *meant) : "known: " + join(known, ", "));
}

// The first word that is no command where one was expected.
std::optional<UsageError> wrong_command(const CLI::App* command, const std::vector<std::string>& known,
                                        const std::vector<std::string>& words) {
  if (known.empty()) return std::nullopt;
  for (const auto& word : words) {
    if (word.starts_with("-") || std::find(known.begin(), known.end(), word) != known.end()) continue;
    if (command->get_parent() != nullptr && word == command->get_name()) continue;
    if (nearest(word, known)) return no_such_command(command, word);
  }
  if (const auto left = command->remaining(); !left.empty() && !left.front().starts_with("-")) {
    return no_such_command(command, left.front());
  }
  return std::nullopt;
}

// The option that a word such as "-n5" or "--since=1h" begins with; null if the command has none.
const CLI::Option* option_in(const CLI::App* command, const std::string& word) {
  const bool is_long = word.starts_with("--");
  return command->get_option_no_throw(is_long ? word.substr(0, word.find('=')) : word.substr(0, 2));
}

bool is_option(const std::string& word) {
  return word.size() > 1 && word.front() == '-' && std::isdigit(static_cast<unsigned char>(word[1])) == 0;
}

std::optional<UsageError> wrong_option(const CLI::App* command, const std::vector<std::string>& words) {
  for (const auto& word : words) {
    if (word == "--") break;
    if (const auto* next = command_called(command, word)) command = next;
    if (!is_option(word) || option_in(command, word) != nullptr) continue;
    std::vector<std::string> known;
    for (const auto* option : command->get_options()) {
      for (const auto& name : option->get_lnames()) known.push_back("--" + name);
    }
    const auto meant = nearest(word, known);
    return UsageError(
        fmt::format("there is no option {}", quoted(word)),
        meant ? fmt::format("did you mean {}?", *meant) : fmt::format("see: {} --help", full_name(command)));
  }
  return std::nullopt;
}

// CLI11's complaints, in this project's words.
std::string complaint(const CLI::ParseError& error, const CLI::App* command) {
  std::string message = shown_name(error.what());
  if (const auto newline = message.find('\n'); newline != std::string::npos) message.resize(newline);
  const auto before = [&](std::string_view part) { return message.substr(0, message.find(part)); };
  if (dynamic_cast<const CLI::ExtrasError*>(&error) != nullptr && !command->remaining().empty()) {
    return fmt::format("{} is one word too many", quoted(command->remaining().front()));
  }
  if (dynamic_cast<const CLI::RequiredError*>(&error) != nullptr) return before(" is required") + " is missing";
  if (dynamic_cast<const CLI::ArgumentMismatch*>(&error) != nullptr) return before(":") + " needs a value";
  if (dynamic_cast<const CLI::ExcludesError*>(&error) != nullptr) {
    constexpr std::string_view kExcludes = " excludes ";
    const auto other = message.substr(message.find(kExcludes) + kExcludes.size());
    return fmt::format("{} and {} cannot both be given", before(kExcludes), other);
  }
  return message;
}

UsageError usage_error(const CLI::ParseError& error, const CLI::App* command, const std::vector<std::string>& words) {
  std::vector<std::string> known;
  for (const auto* sub : command->get_subcommands({})) {
    if (!sub->get_group().empty()) known.push_back(sub->get_name());
  }
  if (const auto wrong = wrong_command(command, known, words)) return *wrong;
  const auto* top = command;
  while (top->get_parent() != nullptr) top = top->get_parent();
  if (const auto wrong = wrong_option(top, words)) return *wrong;
  if (!known.empty() && dynamic_cast<const CLI::RequiredError*>(&error) != nullptr) {
    return UsageError("a command is missing", "known: " + join(known, ", "));
  }
  return UsageError(escaped(complaint(error, command)), fmt::format("see: {} --help", full_name(command)));
}

// CLI11 itself would read "010" as 8, "0x10" as 16, " 3" as 3 and "" as 0.
template <typename Number, typename Value>
CLI::Option* add_number(CLI::App* command, const std::string& names, Value& value, const std::string& help) {
  const auto read = [&value, name = shown_name(names.substr(names.rfind(',') + 1))](const CLI::results_t& words) {
    constexpr std::uint64_t kMost = std::numeric_limits<Number>::max();
    const auto number = parse_unsigned(words.front());
    if (!number || *number > kMost) {
      throw CLI::ConversionError(
          fmt::format("{}: {} is not a number from 0 to {}", name, quoted(words.front()), kMost));
    }
    value = static_cast<Number>(*number);
    return true;
  };
  return command->add_option(names, read, help)->type_name("NUMBER");
}

}  // namespace

std::string shown_name(std::string name) { return replace_all(std::move(name), kLookAlike, "="); }

Verb& Verb::needs(const std::string& name, std::string& value, const std::string& help) {
  command_->add_option(registered_name(name), value, help)->required();
  return *this;
}

Verb& Verb::needs(const std::string& name, unsigned& value, const std::string& help) {
  add_number<unsigned>(command_, registered_name(name), value, help)->required();
  return *this;
}

Verb& Verb::takes(const std::string& name, std::string& value, const std::string& help) {
  command_->add_option(registered_name(name), value, help);
  return *this;
}

Verb& Verb::takes(const std::string& name, std::optional<unsigned>& value, const std::string& help) {
  add_number<unsigned>(command_, registered_name(name), value, help);
  return *this;
}

Verb& Verb::takes_all(const std::string& name, std::vector<std::string>& values, const std::string& help) {
  command_->add_option(registered_name(name), values, help);
  return *this;
}

Verb& Verb::takes_rest(const std::string& name, std::vector<std::string>& words, const std::string& help) {
  // For the help alone. CLI11 would read a meaning into some words, such as "[a]" (a list).
  command_->add_option(registered_name(name), words, help);
  rests_.emplace(command_, &words);
  return *this;
}

Verb& Verb::option(const std::string& names, std::string& value, const std::string& help) {
  command_->add_option(names, value, help);
  return *this;
}

Verb& Verb::option(const std::string& names, std::optional<std::string>& value, const std::string& help) {
  command_->add_option(names, value, help);
  return *this;
}

Verb& Verb::option(const std::string& names, unsigned& value, const std::string& help) {
  add_number<unsigned>(command_, names, value, help);
  return *this;
}

Verb& Verb::option(const std::string& names, std::optional<unsigned>& value, const std::string& help) {
  add_number<unsigned>(command_, names, value, help);
  return *this;
}

Verb& Verb::option(const std::string& names, std::int64_t& value, const std::string& help) {
  add_number<std::int64_t>(command_, names, value, help);
  return *this;
}

Verb& Verb::options(const std::string& name, std::vector<std::string>& values, const std::string& help) {
  command_->add_option(name, values, help)->allow_extra_args(false);
  return *this;
}

Verb& Verb::flag(const std::string& names, bool& value, const std::string& help) {
  command_->add_flag(names, value, help);
  return *this;
}

Verb& Verb::excludes(const std::string& option, const std::string& other) {
  command_->get_option(option)->excludes(command_->get_option(other));
  return *this;
}

Grammar::Grammar()
    : parser_(std::make_unique<CLI::App>("Pushrod: git push puts a branch into production on your own machine.",
                                         "pushrod")) {
  const auto format = std::make_shared<HelpFormat>();
  format->label("Positionals", "Arguments");
  format->label("SUBCOMMAND", "COMMAND");
  format->label("SUBCOMMANDS", "COMMANDS");
  format->label("Subcommands", "Commands");
  parser_->formatter(format);  // its subcommands inherit this and the next line
  parser_->set_help_flag("-h,--help", "print this");
  parser_->require_subcommand(1);
  parser_->set_version_flag("--version", std::string("pushrod ") + kVersion, "print the version");
}

Grammar::~Grammar() = default;

CLI::App* Grammar::group_of(const std::string& name) {
  auto& group = groups_[name];
  if (group == nullptr) {
    const auto space = name.find(' ');  // a group in a group
    group = space == name.npos ? parser_->add_subcommand(name)
                               : group_of(name.substr(0, space))->add_subcommand(name.substr(space + 1));
    group->require_subcommand(1);
  }
  return group;
}

void Grammar::describe_group(const std::string& group, const std::string& help) { group_of(group)->description(help); }

Verb Grammar::verb(const std::string& name, const std::string& help, Action action) {
  auto* command = parser_->add_subcommand(name, help);
  command->callback([this, action = std::move(action)] { parsed_.action = action; });
  return Verb(command, rests_);
}

Verb Grammar::verb(const std::string& group, const std::string& name, const std::string& help, Action action) {
  auto* command = group_of(group)->add_subcommand(name, help);
  command->callback([this, action = std::move(action)] { parsed_.action = action; });
  return Verb(command, rests_);
}

Verb Grammar::rootless(const std::string& name, const std::string& help, std::function<int()> action) {
  auto* command = parser_->add_subcommand(name, help);
  command->callback([this, action = std::move(action)] { parsed_.bare = action; });
  return Verb(command, rests_);
}

Verb Grammar::hidden(const std::string& name, std::function<int()> action) {
  auto* command = parser_->add_subcommand(name, "")->group("");
  command->callback([this, action = std::move(action)] { parsed_.bare = action; });
  return Verb(command, rests_);
}

Verb Grammar::top() { return Verb(parser_.get(), rests_); }

void Grammar::take_rest(std::vector<std::string>& words) const {
  const CLI::App* command = parser_.get();
  std::size_t needed = 0;
  for (std::size_t at = 0; at < words.size(); ++at) {
    const auto& word = words[at];
    const bool is_mark = word == "--";
    if (word.size() > 1 && word.front() == '-' && !is_mark) {
      const auto* option = command->get_option_no_throw(word);
      if (option != nullptr && option->get_items_expected_max() > 0) ++at;  // its value
      continue;
    }
    const auto rest = rests_.find(command);
    if (rest == rests_.end()) {
      if (is_mark) return;
      command = command_called(command, word);
      if (command == nullptr) return;
      needed = count_needed(command);
    } else if (needed > 0 && !is_mark) {
      --needed;
    } else {
      const auto begin = words.begin() + static_cast<std::ptrdiff_t>(at);
      rest->second->assign(is_mark ? begin + 1 : begin, words.end());
      words.erase(begin, words.end());
      return;
    }
  }
}

void Grammar::print_help(const std::vector<std::string>& verb) const {
  const CLI::App* command = parser_.get();
  std::string before;
  for (const auto& word : verb) {
    const auto* next = command_called(command, word);
    if (next == nullptr || next->get_group().empty()) throw no_such_command(command, word);
    before = full_name(command);
    command = next;
  }
  print(command->help(before));
}

Grammar::Parsed Grammar::parse(const std::vector<std::string>& all_words) {
  parsed_ = {};
  auto words = all_words;
  if (words.empty() || words.front() == "help") {
    print_help({words.begin() + (words.empty() ? 0 : 1), words.end()});
    return {};
  }
  take_rest(words);
  try {
    std::vector<std::string> reversed(words.rbegin(), words.rend());
    parser_->parse(reversed);
  } catch (const CLI::CallForHelp&) {
    print(parser_->help());
  } catch (const CLI::CallForAllHelp&) {
    print(parser_->help("", CLI::AppFormatMode::All));
  } catch (const CLI::CallForVersion& version) {
    print(fmt::format("{}\n", version.what()));
  } catch (const CLI::ParseError& error) {
    throw usage_error(error, deepest(parser_.get()), words);
  }
  return parsed_;
}

}  // namespace pushrod
