// prune: makes room on the disk by hand.
#include "operate/prune.hh"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/error.hh"
#include "base/text.hh"
#include "cli/grammar.hh"
#include "cli/output.hh"
#include "cli/verbs.hh"

namespace pushrod {

namespace {

int prune(Context& context, const std::string& name, bool json) {
  const auto pruned = prune(context, name.empty() ? std::nullopt : std::optional(AppName::parse(name)));
  if (json) {
    print_json(to_json(pruned));
    return kExitOk;
  }
  for (const auto& [of, what, bytes] : pruned.removed) {
    if (bytes > 0) print(fmt::format("{} of {}: {}\n", what, of.str(), format_bytes(bytes)));
  }
  print(fmt::format("{}; {} are free.\n",
                    pruned.removed.empty() ? "There is nothing to remove" : "Freed " + format_bytes(pruned.freed_bytes),
                    format_bytes(pruned.free_bytes)));
  return kExitOk;
}

}  // namespace

void add_prune_verb(Grammar& grammar) {
  struct Words {
    std::string app;
    bool json = false;
  };
  const auto words = std::make_shared<Words>();
  grammar
      .verb("prune", "remove what is kept for rollbacks and builds",
            [words](Context& context) { return prune(context, words->app, words->json); })
      .takes("APP", words->app, "only this app's")
      .json(words->json);
}

}  // namespace pushrod
