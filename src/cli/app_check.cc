// app check: does the app work now? For people, and as an exit code for monitoring.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/error.hh"
#include "base/text.hh"
#include "cli/grammar.hh"
#include "cli/output.hh"
#include "cli/verbs.hh"
#include "deploy/condition.hh"
#include "deploy/fallback.hh"

namespace pushrod {

namespace {

Json json_of(const App& app, const AppCondition& condition) {
  auto instances = Json::array();
  for (const auto& one : condition.instances) {
    const bool waits = one.condition == Condition::Crashing;
    instances.push_back({{"instance", one.name.str()},
                         {"state", to_string(one.condition)},
                         {"retry_in_ms", waits ? Json(one.retry_in.count()) : Json(nullptr)}});
  }
  return {{"app", app.name.str()},
          {"ok", condition.works()},
          {"state", condition.state},
          {"traffic", condition.traffic},
          {"release", app.live ? Json(*app.live) : Json(nullptr)},
          {"instances", std::move(instances)}};
}

int app_check(Context& context, const std::string& name, bool json) {
  const auto app = context.require_app(name, Right::See);
  const auto platform = context.platform();
  const auto condition = condition_of(platform, app);
  const int code = condition.works() ? kExitOk : kExitRequest;
  if (json) {
    print_json(json_of(app, condition));
    return code;
  }
  context.note_if_down();
  print(fmt::format("{} is {}; requests: {}; {} of {} running\n", app.name.str(), condition.state, condition.traffic,
                    condition.running(), counted(condition.instances.size(), "instance")));
  for (const auto& problem : problems_of(condition)) print(fmt::format("  {}\n", problem));
  if (const auto note = fallback_note(platform, app); !note.empty()) print(fmt::format("  {}\n", escaped(note)));
  if (code != kExitOk && app.live && !app.stopped) print(fmt::format("Its output: logs {}\n", app.name.str()));
  return code;
}

}  // namespace

void add_app_check_verb(Grammar& grammar) {
  struct Words {
    std::string app;
    bool json = false;
  };
  const auto words = std::make_shared<Words>();
  grammar
      .verb("app", "check", "whether an app works now; exit code 1 if it does not",
            [words](Context& context) { return app_check(context, words->app, words->json); })
      .app(words->app)
      .json(words->json);
}

}  // namespace pushrod
