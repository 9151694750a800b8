// scale, stop, start, restart: how much of an app runs.
#include "operate/scale.hh"

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
  const auto count = parse_unsigned(equals == std::string::npos ? "" : word.substr(equals + 1));
  if (!count || *count > kMostInstances) {
    throw UserError(fmt::format("invalid scale {}", quoted(word)),
                    fmt::format("use TYPE=NUMBER, for example web=3; NUMBER is 0 to {}", kMostInstances));
  }
  return {ProcessType::parse(word.substr(0, equals)), static_cast<std::uint32_t>(*count)};
}

int show_scale(Context& context, const AppName& name, bool json) {
  const auto lines = scale_of(context, name);
  auto list = Json::array();
  Table table({"TYPE", "COUNT", "SET BY"});
  for (const auto& line : lines) {
    list.push_back(to_json(line));
    const auto by = line.is_pending  ? "scale, for a release that has this type"
                    : line.is_scaled ? "scale"
                                     : "the app's files";
    table.add({line.type, std::to_string(line.count), by});
  }
  if (json) {
    print_json(list);
    return kExitOk;
  }
  const auto app = context.Session::require_app(name, Right::Deploy);
  if (lines.empty()) require_deployed(app, "scale");
  print(table.str());
  if (app.stopped) print(fmt::format("The app is stopped: `start {}` runs these.\n", name.str()));
  return kExitOk;
}

int change_scale(Context& context, const AppName& name, const std::vector<std::string>& words) {
  Counts counts;
  for (const auto& word : words) {
    const auto [type, count] = parse_count(word);
    if (!counts.emplace(type, count).second) throw UserError(fmt::format("{} is named twice", type.str()));
  }
  const auto result = scale(context, name, counts);
  for (const auto& [type, count] : result.kept) {
    print(fmt::format("{}={} is kept for the next release of {} that has this type.\n", type.str(), count, name.str()));
  }
  if (result.change) return run_change(context, *result.change);
  if (result.kept.empty()) {
    print(fmt::format("No change: the scale of {} is already {}.\n", name.str(), join(words, " ")));
  }
  return kExitOk;
}

int scale(Context& context, const std::string& word, const std::vector<std::string>& words, bool json) {
  const auto name = AppName::parse(word);
  if (words.empty()) return show_scale(context, name, json);
  if (json) throw UsageError("--json is for showing the scale, not for changing it", "leave it out");
  return change_scale(context, name, words);
}

int restart(Context& context, const std::string& app, const std::string& type) {
  const auto only = type.empty() ? std::nullopt : std::optional(ProcessType::parse(type));
  return run_change(context, restart_change(context, AppName::parse(app), only));
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
  grammar
      .verb("stop", "stop all of an app",
            [words](Context& context) { return run_change(context, stop_change(context, AppName::parse(words->app))); })
      .app(words->app);
  grammar
      .verb(
          "start", "run a stopped app again",
          [words](Context& context) { return run_change(context, start_change(context, AppName::parse(words->app))); })
      .app(words->app);
  grammar
      .verb("restart", "new instances of the live release",
            [words](Context& context) { return restart(context, words->app, words->type); })
      .app(words->app)
      .takes("TYPE", words->type, "only of this process type");
}

}  // namespace pushrod
