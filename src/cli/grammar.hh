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
  // Whose verbs take the rest of the line, and where it goes.
  using Rests = std::map<const CLI::App*, std::vector<std::string>*>;
  Verb(CLI::App* command, Rests& rests) : command_(command), rests_(rests) {}

  // By position, in this order.
  Verb& needs(const std::string& name, std::string& value, const std::string& help);
  Verb& needs(const std::string& name, unsigned& value, const std::string& help);
  Verb& takes(const std::string& name, std::string& value, const std::string& help);
  Verb& takes(const std::string& name, std::optional<unsigned>& value, const std::string& help);
  Verb& takes_all(const std::string& name, std::vector<std::string>& values, const std::string& help);
  // After what it needs, every word from the first one on that is no option, or from "--" on, exactly as it is.
  Verb& takes_rest(const std::string& name, std::vector<std::string>& words, const std::string& help);
  // "-n,--lines"
  Verb& option(const std::string& names, std::string& value, const std::string& help);
  Verb& option(const std::string& names, std::optional<std::string>& value, const std::string& help);
  Verb& option(const std::string& names, unsigned& value, const std::string& help);
  Verb& option(const std::string& names, std::optional<unsigned>& value, const std::string& help);
  Verb& option(const std::string& names, std::int64_t& value, const std::string& help);
  Verb& options(const std::string& name, std::vector<std::string>& values, const std::string& help);  // may be repeated
  Verb& flag(const std::string& names, bool& value, const std::string& help);
  Verb& excludes(const std::string& option, const std::string& other);

  Verb& app(std::string& value) { return needs("APP", value, "the app"); }
  Verb& json(bool& value) { return flag("--json", value, "as JSON"); }

 private:
  CLI::App* command_;
  Rests& rests_;
};

// The name of a positional as people see it. CLI11 2.4 rejects "=" in such names, so it knows them by a look-alike.
std::string shown_name(std::string name);

// What may stand at the end of an unfinished command line.
struct Completion {
  struct Candidate {
    std::string word, help;
  };
  std::vector<Candidate> candidates;     // verbs or options, whatever has been begun of them
  std::string value;                     // else the name of what is to be given: "APP", "--process"; empty: nothing
  std::string verb;                      // for which: "app info"
  std::vector<std::string> positionals;  // what it has been given already
  std::string word;                      // what has been begun
  std::string before;                    // its part that stands before the value: "--process="
};

class Grammar {
 public:
  using Action = std::function<int(Context&)>;

  Grammar();
  ~Grammar();
  Grammar(const Grammar&) = delete;
  Grammar& operator=(const Grammar&) = delete;

  // A verb of its own ("ps"), or one of a group ("app list"); the group's description is given by its first verb.
  Verb verb(const std::string& name, const std::string& help, Action action);
  Verb verb(const std::string& group, const std::string& name, const std::string& help, Action action);
  void describe_group(const std::string& group, const std::string& help);
  // A verb that needs no root directory.
  Verb rootless(const std::string& name, const std::string& help, std::function<int()> action);
  // One that opens it by itself, if at all, and is shown to nobody.
  Verb hidden(const std::string& name, std::function<int()> action);
  // Options before every verb.
  Verb top();

  // What the words ask for; exactly one of both is set, or neither when all was printed already: `help VERB`,
  // `VERB --help`, or no words at all.
  struct Parsed {
    Action action;
    std::function<int()> bare;
  };
  // Throws UsageError, which says what was meant.
  Parsed parse(const std::vector<std::string>& words);

  // The last word is the one that is being written; it may be empty.
  Completion complete(const std::vector<std::string>& words) const;
  // "ps", "app list", …: all but the hidden ones.
  std::vector<std::string> verbs() const;

 private:
  CLI::App* group_of(const std::string& name);
  void print_help(const std::vector<std::string>& verb) const;
  std::unique_ptr<CLI::App> parser_;
  // Takes the rest of the line off the words, if there is one, and hands it over.
  void take_rest(std::vector<std::string>& words) const;

  std::map<std::string, CLI::App*> groups_;
  Verb::Rests rests_;
  Parsed parsed_;
};

}  // namespace pushrod
