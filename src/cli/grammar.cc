// The grammar, on CLI11.
// Floor 7.
#include "cli/grammar.hh"

#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "base/error.hh"
#include "base/text.hh"

namespace pushrod {

namespace {

constexpr const char* kVersion = PUSHROD_VERSION;

CLI::App* deepest(CLI::App* command) {
  while (!command->get_subcommands().empty()) command = command->get_subcommands().front();
  return command;
}

std::string full_name(const CLI::App* command) {
  std::string name = command->get_name();
  while ((command = command->get_parent()) != nullptr) name = command->get_name() + " " + name;
  return name;
}

// The first word that is no command where one was expected.
std::optional<UsageError> wrong_command(const CLI::App* command, const std::vector<std::string>& known,
                                        const std::vector<std::string>& words) {
  if (known.empty()) return std::nullopt;
  for (const auto& word : words) {
    if (word.starts_with("-") || std::find(known.begin(), known.end(), word) != known.end()) continue;
    if (command->get_parent() != nullptr && word == command->get_name()) continue;
    if (const auto meant = nearest(word, known)) {
      return UsageError(fmt::format("there is no command {}", quoted(word)), fmt::format("did you mean {}?", *meant));
    }
  }
  if (const auto left = command->remaining(); !left.empty() && !left.front().starts_with("-")) {
    return UsageError(fmt::format("there is no command {}", quoted(left.front())), "known: " + join(known, ", "));
  }
  return std::nullopt;
}

UsageError usage_error(const CLI::ParseError& error, const CLI::App* command, const std::vector<std::string>& words) {
  std::vector<std::string> known;
  for (const auto* sub : command->get_subcommands({})) {
    if (!sub->get_group().empty()) known.push_back(sub->get_name());
  }
  if (const auto wrong = wrong_command(command, known, words)) return *wrong;
  if (!known.empty() && dynamic_cast<const CLI::RequiredError*>(&error) != nullptr) {
    return UsageError("a command is missing", "known: " + join(known, ", "));
  }
  std::string message = error.what();
  if (const auto newline = message.find('\n'); newline != std::string::npos) message.resize(newline);
  return UsageError(escaped(message), fmt::format("see: {} --help", full_name(command)));
}

}  // namespace

Verb& Verb::needs(const std::string& name, std::string& value, const std::string& help) {
  command_->add_option(name, value, help)->required();
  return *this;
}

Verb& Verb::needs(const std::string& name, unsigned& value, const std::string& help) {
  command_->add_option(name, value, help)->required();
  return *this;
}

Verb& Verb::takes(const std::string& name, std::string& value, const std::string& help) {
  command_->add_option(name, value, help);
  return *this;
}

Verb& Verb::takes(const std::string& name, unsigned& value, const std::string& help) {
  command_->add_option(name, value, help);
  return *this;
}

Verb& Verb::takes_all(const std::string& name, std::vector<std::string>& values, const std::string& help) {
  command_->add_option(name, values, help);
  return *this;
}

Verb& Verb::takes_rest(const std::string& name, std::vector<std::string>& words, const std::string& help) {
  command_->prefix_command();
  command_->footer(fmt::format("{}: {}", name, help));
  command_->parse_complete_callback([command = command_, &words] {
    words = command->remaining();
    if (!words.empty() && words.front() == "--") words.erase(words.begin());
  });
  return *this;
}

Verb& Verb::option(const std::string& names, std::string& value, const std::string& help) {
  command_->add_option(names, value, help);
  return *this;
}

Verb& Verb::option(const std::string& names, unsigned& value, const std::string& help) {
  command_->add_option(names, value, help);
  return *this;
}

Verb& Verb::option(const std::string& names, std::optional<unsigned>& value, const std::string& help) {
  command_->add_option(names, value, help);
  return *this;
}

Verb& Verb::option(const std::string& names, std::int64_t& value, const std::string& help) {
  command_->add_option(names, value, help);
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
  parser_->require_subcommand(1);
  parser_->set_version_flag("--version", std::string("pushrod ") + kVersion);
}

Grammar::~Grammar() = default;

CLI::App* Grammar::group_of(const std::string& name) {
  auto& group = groups_[name];
  if (group == nullptr) {
    group = parser_->add_subcommand(name);
    group->require_subcommand(1);
  }
  return group;
}

void Grammar::describe_group(const std::string& group, const std::string& help) { group_of(group)->description(help); }

Verb Grammar::verb(const std::string& name, const std::string& help, Action action) {
  auto* command = parser_->add_subcommand(name, help);
  command->callback([this, action = std::move(action)] { parsed_.action = action; });
  return Verb(command);
}

Verb Grammar::verb(const std::string& group, const std::string& name, const std::string& help, Action action) {
  auto* command = group_of(group)->add_subcommand(name, help);
  command->callback([this, action = std::move(action)] { parsed_.action = action; });
  return Verb(command);
}

Verb Grammar::rootless(const std::string& name, const std::string& help, std::function<int()> action) {
  auto* command = parser_->add_subcommand(name, help);
  command->callback([this, action = std::move(action)] { parsed_.bare = action; });
  return Verb(command);
}

Verb Grammar::hidden(const std::string& name, std::function<int()> action) {
  auto* command = parser_->add_subcommand(name, "")->group("");
  command->callback([this, action = std::move(action)] { parsed_.bare = action; });
  return Verb(command);
}

Verb Grammar::top() { return Verb(parser_.get()); }

Grammar::Parsed Grammar::parse(const std::vector<std::string>& words) {
  parsed_ = {};
  try {
    std::vector<std::string> reversed(words.rbegin(), words.rend());
    parser_->parse(reversed);
  } catch (const CLI::CallForHelp&) {
    std::fputs(deepest(parser_.get())->help().c_str(), stdout);
  } catch (const CLI::CallForAllHelp&) {
    std::fputs(parser_->help("", CLI::AppFormatMode::All).c_str(), stdout);
  } catch (const CLI::CallForVersion& version) {
    std::puts(version.what());
  } catch (const CLI::ParseError& error) {
    throw usage_error(error, deepest(parser_.get()), words);
  }
  return parsed_;
}

}  // namespace pushrod
