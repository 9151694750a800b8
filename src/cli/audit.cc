// audit: who changed what.
#include "operate/audit.hh"

#include <nlohmann/json.hpp>

#include "base/error.hh"
#include "base/text.hh"
#include "cli/grammar.hh"
#include "cli/output.hh"
#include "cli/verbs.hh"

namespace pushrod {

namespace {

int audit(Context& context, const std::string& app, unsigned most, bool json) {
  auto list = Json::array();
  Table table({"TIME (UTC)", "BY", "FROM", "APP", "ACTION", "DETAIL", "OUTCOME"});
  for (const auto& entry : audit_entries(context, app, most)) {
    list.push_back(to_json(entry));
    const auto shown = [](const std::string& text) { return text.empty() ? std::string("-") : text; };
    table.add({format_time(entry.at), entry.who, entry.address, shown(entry.app), entry.action, shown(entry.detail),
               shown(entry.outcome)});
  }
  if (json) {
    print_json(list);
  } else {
    print(table.is_empty() ? "Nothing has been changed.\n" : table.str());
  }
  return kExitOk;
}

}  // namespace

void add_audit_verb(Grammar& grammar) {
  struct Words {
    std::string app;
    unsigned most = 20;
    bool json = false;
  };
  const auto words = std::make_shared<Words>();
  grammar
      .verb("audit", "who changed what, when and from where",
            [words](Context& context) { return audit(context, words->app, words->most, words->json); })
      .takes("APP", words->app, "only this app's")
      .option("-n", words->most, "how many (default: 20)")
      .json(words->json);
}

}  // namespace pushrod
