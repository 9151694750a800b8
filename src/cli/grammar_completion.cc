// What may follow the words of an unfinished command line.
// Reads the grammar itself, so that it is never out of date.
#include <CLI/CLI.hpp>
#include <algorithm>

#include "cli/grammar.hh"

namespace pushrod {

namespace {

bool takes_value(const CLI::Option& option) { return option.get_items_expected_max() > 0; }

// "--process", or the name of an argument by position: "APP".
std::string name_of(const CLI::Option& option) {
  return option.get_positional() ? shown_name(option.get_name(true)) : "--" + option.get_lnames().front();
}

std::string first_line(const std::string& text) { return text.substr(0, text.find('\n')); }

// The path from the program to the verb that the words name, and what else they say.
struct Walk {
  const CLI::App* command;
  std::string path;                         // "app list"
  const CLI::Option* unfinished = nullptr;  // an option whose value is the next word
  std::vector<std::string> positionals;
  bool options_ended = false;

  void take(const std::string& word) {
    if (unfinished != nullptr) {
      unfinished = nullptr;
    } else if (!options_ended && word == "--") {
      options_ended = true;
    } else if (!options_ended && word.size() > 1 && word.front() == '-') {
      const auto* option = command->get_option_no_throw(word);
      if (option != nullptr && takes_value(*option)) unfinished = option;
    } else if (const auto verbs = command->get_subcommands({}); !verbs.empty()) {
      const auto named =
          std::find_if(verbs.begin(), verbs.end(), [&](const CLI::App* verb) { return verb->get_name() == word; });
      command = named == verbs.end() ? nullptr : *named;
      path += (path.empty() ? "" : " ") + word;
    } else {
      positionals.push_back(word);
    }
  }
  const CLI::Option* next_positional() const {
    std::size_t left = positionals.size();
    for (const auto* option : command->get_options([](const CLI::Option* each) { return each->get_positional(); })) {
      const auto most = static_cast<std::size_t>(option->get_items_expected_max());
      if (left < most) return option;
      left -= most;
    }
    return nullptr;
  }
};

void offer_options(const CLI::App& command, Completion& completion) {
  for (const auto* option : command.get_options([](const CLI::Option* each) { return !each->get_positional(); })) {
    if (option->get_lnames().empty()) {
      completion.candidates.push_back({"-" + option->get_snames().front(), option->get_description()});
    } else {
      completion.candidates.push_back({"--" + option->get_lnames().front(), first_line(option->get_description())});
    }
  }
}

void add_verbs_of(const CLI::App& group, const std::string& before, std::vector<std::string>& names) {
  for (const auto* verb : group.get_subcommands({})) {
    if (verb->get_group().empty()) continue;
    const auto name = before + verb->get_name();
    if (verb->get_subcommands({}).empty()) names.push_back(name);
    add_verbs_of(*verb, name + " ", names);
  }
}

}  // namespace

Completion Grammar::complete(const std::vector<std::string>& words) const {
  Walk walk{.command = parser_.get(), .path = {}, .positionals = {}};
  for (std::size_t at = 0; at + 1 < words.size() && walk.command != nullptr; ++at) walk.take(words[at]);
  Completion completion;
  completion.word = words.empty() ? "" : words.back();
  completion.positionals = walk.positionals;
  if (walk.command == nullptr) return completion;
  completion.verb = walk.path;
  if (walk.unfinished != nullptr) {
    completion.value = name_of(*walk.unfinished);
    return completion;
  }
  if (!walk.options_ended && completion.word.starts_with("-")) {
    const auto equals = completion.word.find('=');
    const auto* option = walk.command->get_option_no_throw(completion.word.substr(0, equals));
    if (equals == std::string::npos) {
      offer_options(*walk.command, completion);
    } else if (option != nullptr && takes_value(*option)) {
      completion.value = name_of(*option);
      completion.before = completion.word.substr(0, equals + 1);
    }
    return completion;
  }
  for (const auto* verb : walk.command->get_subcommands({})) {
    if (!verb->get_group().empty()) completion.candidates.push_back({verb->get_name(), verb->get_description()});
  }
  if (!completion.candidates.empty()) return completion;
  if (const auto* option = walk.next_positional()) completion.value = name_of(*option);
  return completion;
}

std::vector<std::string> Grammar::verbs() const {
  std::vector<std::string> names;
  add_verbs_of(*parser_, "", names);
  return names;
}

}  // namespace pushrod
