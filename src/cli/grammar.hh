// The grammar of the command line: verbs, what each takes, and what it does.
// Every file of commands adds its own verbs (verbs.hh); cli.cc reads the words. CLI11 stays behind this, so
// that only grammar.cc pays for it.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tree/context.hh"

namespace CLI {
class App;
}

namespace pushrod {

// What a verb takes. The variables that are filled must live as long as the grammar: the verb's action holds them.
// Numbers are decimal digits and nothing else (I8).
class Verb {
 public:
  // The verbs that take the rest of the line, and where its words go.
  using Rests = std::map<const CLI::App*, std::vector<std::string>*>;
  Verb(CLI::App* command, Rests& rests) : command_(command), rests_(rests) {}

  // Words by position, in the order of these calls: required.
  Verb& needs(const std::string& name, std::string& value, const std::string& help);
  Verb& needs(const std::string& name, unsigned& value, const std::string& help);
  // The same, optional.
  Verb& takes(const std::string& name, std::string& value, const std::string& help);
  Verb& takes(const std::string& name, std::optional<unsigned>& value, const std::string& help);
  // All words that are left, optional.
  Verb& takes_all(const std::string& name, std::vector<std::string>& values, const std::string& help);
  // After the required words: everything from the first word that is not an option, or after "--", exactly as it is.
  Verb& takes_rest(const std::string& name, std::vector<std::string>& words, const std::string& help);
  // Options with a value. `names`: "-n,--lines".
  Verb& option(const std::string& names, std::string& value, const std::string& help);
  Verb& option(const std::string& names, std::optional<std::string>& value, const std::string& help);
  Verb& option(const std::string& names, unsigned& value, const std::string& help);
  Verb& option(const std::string& names, std::optional<unsigned>& value, const std::string& help);
  Verb& option(const std::string& names, std::int64_t& value, const std::string& help);
  Verb& options(const std::string& name, std::vector<std::string>& values, const std::string& help);  // may be repeated
  // An option without a value.
  Verb& flag(const std::string& names, bool& value, const std::string& help);
  // These two options of the verb cannot be given together.
  Verb& excludes(const std::string& option, const std::string& other);

  Verb& app(std::string& value) { return needs("APP", value, "the app"); }
  Verb& json(bool& value) { return flag("--json", value, "as JSON"); }

 private:
  CLI::App* command_;
  Rests& rests_;
};

// The name of a positional as people see it. CLI11 2.4 rejects "=" in such names, so it knows them by a look-alike.
std::string shown_name(std::string name);

// What a shell can offer at the end of an unfinished command line.
struct Completion {
  struct Candidate {
    std::string word, help;
  };
  std::vector<Candidate> candidates;     // verbs or options, all of them: the caller compares them with `word`
  std::string value;                     // if there are none, the value that comes here: "APP", "--process"; or empty
  std::string verb;                      // whose value it is: "app info"
  std::vector<std::string> positionals;  // the words by position that the verb has already
  std::string word;                      // the unfinished word
  std::string before;                    // the part of it before the value: "--process="
};

class Grammar {
 public:
  using Action = std::function<int(Context&)>;

  Grammar();
  ~Grammar();
  Grammar(const Grammar&) = delete;
  Grammar& operator=(const Grammar&) = delete;

  // A verb of its own ("ps"), or one of a group ("app list"). describe_group() gives the group its text for the help.
  Verb verb(const std::string& name, const std::string& help, Action action);
  Verb verb(const std::string& group, const std::string& name, const std::string& help, Action action);
  void describe_group(const std::string& group, const std::string& help);
  // A verb whose action gets no Context.
  Verb rootless(const std::string& name, const std::string& help, std::function<int()> action);
  // The same, and neither the help nor completion shows it: for verbs that other programs call.
  Verb hidden(const std::string& name, std::function<int()> action);
  // For options that come before the verb.
  Verb top();

  // What the words ask for. One of the two is set: `action`, or `bare` for a verb without a Context. Neither is set
  // when parse() has printed the answer: for `help VERB`, `VERB --help`, `--version`, or no words at all.
  struct Parsed {
    Action action;
    std::function<int()> bare;
  };
  // Throws UsageError, which names the nearest verb or option that exists.
  Parsed parse(const std::vector<std::string>& words);

  // The last word is the one that is being written; it may be empty.
  Completion complete(const std::vector<std::string>& words) const;
  // "ps", "app list", …: all but the hidden ones.
  std::vector<std::string> verbs() const;

 private:
  CLI::App* group_of(const std::string& name);
  void print_help(const std::vector<std::string>& verb) const;
  // Moves the rest of the line from the words to the verb that takes it, if there is one.
  void take_rest(std::vector<std::string>& words) const;

  std::unique_ptr<CLI::App> parser_;
  std::map<std::string, CLI::App*> groups_;
  Verb::Rests rests_;
  Parsed parsed_;
};

}  // namespace pushrod
