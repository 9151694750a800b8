// scale, stop, start, restart: how much of an app runs.
// Floor 7. Each is a deployment; what goes on is left alone.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/error.hh"
#include "base/text.hh"
#include "cli/change.hh"
#include "cli/grammar.hh"
#include "cli/output.hh"
#include "cli/verbs.hh"
#include "config/app_manifest.hh"

namespace pushrod {

namespace {

// "web=3"
std::pair<ProcessType, std::uint32_t> parse_count(const std::string& word) {
  const auto equals = word.find('=');
  const auto count = equals == std::string::npos ? std::nullopt : parse_unsigned(word.substr(equals + 1));
  if (!count || *count > kMostInstances) {
    throw UserError(fmt::format("{} is no scale", quoted(word)),
                    fmt::format("say TYPE=NUMBER, such as web=3; a number from 0 to {}", kMostInstances));
  }
  return {ProcessType::parse(word.substr(0, equals)), static_cast<std::uint32_t>(*count)};
}

int show_scale(const App& app, const Release& release, bool json) {
  auto list = Json::array();
  Table table({"TYPE", "COUNT", "SET BY"});
  for (const auto& process : release.processes) {
    list.push_back({{"type", process.type.str()}, {"count", process.count}, {"scaled", process.is_scaled}});
    table.add({process.type.str(), std::to_string(process.count), process.is_scaled ? "scale" : "the app's files"});
  }
  if (json) {
    print_json(list);
  } else {
    print(table.str());
    if (app.stopped) print(fmt::format("The app is stopped: `start {}` runs these.\n", app.name.str()));
  }
  return kExitOk;
}

int scale(Context& context, const std::string& name, const std::vector<std::string>& words, bool json) {
  const auto app = context.require_app(name, Right::Deploy);
  require_deployed(app, "scale");
  const auto release = context.store().release(app.id, *app.live);
  if (words.empty()) return show_scale(app, *release, json);
  if (json) throw UsageError("--json is for showing the scale, not for changing it", "leave it out");
  auto change = change_of(context, app, DeploymentKind::Scale);
  std::vector<std::string> changes;
  for (const auto& word : words) {
    const auto [type, count] = parse_count(word);
    const auto& process = require_process(*release, type);
    if (!change.counts.emplace(type, count).second) throw UserError(fmt::format("{} is named twice", type.str()));
    if (process.count != count) {
      changes.push_back(fmt::format("{} {} to {}", type.str(), process.count, count));
    } else if (!process.is_scaled) {
      changes.push_back(fmt::format("{} stays {}, whatever the app's files say", type.str(), count));
    }
  }
  if (changes.empty()) {
    print(fmt::format("The scale of {} is that already: {}.\n", app.name.str(), join(words, " ")));
    return kExitOk;
  }
  change.detail = join(changes, ", ");
  return run_change(context, change);
}

int stop(Context& context, const std::string& name) {
  const auto app = context.require_app(name, Right::Deploy);
  require_deployed(app, "stop");
  if (app.stopped) throw UserError(fmt::format("app {} is stopped already", app.name.str()));
  return run_change(context, change_of(context, app, DeploymentKind::Stop));
}

int start(Context& context, const std::string& name) {
  const auto app = context.require_app(name, Right::Deploy);
  require_deployed(app, "start");
  if (!app.stopped) {
    throw UserError(fmt::format("app {} is not stopped", app.name.str()),
                    fmt::format("new instances of it: restart {}", app.name.str()));
  }
  return run_change(context, change_of(context, app, DeploymentKind::Start));
}

int restart(Context& context, const std::string& name, const std::string& type) {
  const auto app = context.require_app(name, Right::Deploy);
  require_deployed(app, "restart");
  if (app.stopped) {
    throw UserError(fmt::format("app {} is stopped", app.name.str()), fmt::format("run it: start {}", app.name.str()));
  }
  auto change = change_of(context, app, DeploymentKind::Restart);
  if (!type.empty()) {
    const auto release = context.store().release(app.id, *app.live);
    change.only = ProcessType::parse(type);
    if (require_process(*release, *change.only).count == 0) {
      throw UserError(fmt::format("the scale of {} is {}=0: there is nothing to restart", app.name.str(), type),
                      fmt::format("scale {} {}=1", app.name.str(), type));
    }
    change.detail = type;
  }
  return run_change(context, change);
}

}  // namespace

void add_scale_verbs(Grammar& grammar) {
  struct Words {
    std::string app, type;
    std::vector<std::string> counts;
    bool json = false;
  };
  const auto words = std::make_shared<Words>();
  grammar
      .verb("scale", "how many instances of which process type run",
            [words](Context& context) { return scale(context, words->app, words->counts, words->json); })
      .app(words->app)
      .takes_all("TYPE=NUMBER", words->counts, "such as web=3; without any, show them")
      .json(words->json);
  grammar.verb("stop", "stop all of an app", [words](Context& context) { return stop(context, words->app); })
      .app(words->app);
  grammar.verb("start", "run a stopped app again", [words](Context& context) { return start(context, words->app); })
      .app(words->app);
  grammar
      .verb("restart", "new instances of the live release",
            [words](Context& context) { return restart(context, words->app, words->type); })
      .app(words->app)
      .takes("TYPE", words->type, "only of this process type");
}

}  // namespace pushrod
