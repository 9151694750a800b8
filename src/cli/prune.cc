// prune: makes room on the disk by hand.
#include <fmt/format.h>

#include <limits>
#include <nlohmann/json.hpp>

#include "base/error.hh"
#include "base/text.hh"
#include "cli/audited.hh"
#include "cli/grammar.hh"
#include "cli/output.hh"
#include "cli/verbs.hh"
#include "deploy/make_room.hh"
#include "os/files.hh"

namespace pushrod {

namespace {

int prune(Context& context, const std::string& name, bool json) {
  if (name.empty()) context.require_admin();
  const auto app = name.empty() ? std::nullopt : std::optional(context.require_app(name, Right::Administer));
  std::vector<Removed> removed;
  audited(context, {name, "prune", ""},
          [&] { removed = make_room(context.platform(), std::numeric_limits<std::uint64_t>::max(), app); });
  const auto free = free_bytes(context.layout().root());
  std::uint64_t freed = 0;
  auto list = Json::array();
  std::string text;
  for (const auto& [of, what, bytes] : removed) {
    freed += bytes;
    list.push_back({{"app", of.str()}, {"what", what}, {"bytes", bytes}});
    if (bytes > 0) text += fmt::format("{} of {}: {}\n", what, of.str(), format_bytes(bytes));
  }
  if (json) {
    print_json({{"removed", list}, {"freed_bytes", freed}, {"free_bytes", free}});
  } else {
    print(fmt::format("{}{}; {} are free.\n", text,
                      removed.empty() ? "There is nothing to remove" : "Freed " + format_bytes(freed),
                      format_bytes(free)));
  }
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
