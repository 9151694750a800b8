// scale, stop, start, restart: how much of an app runs.
// Each is a deployment; what goes on is left alone.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/error.hh"
#include "base/text.hh"
#include "cli/audited.hh"
#include "cli/change.hh"
#include "cli/grammar.hh"
#include "cli/output.hh"
#include "cli/verbs.hh"
#include "config/app_manifest.hh"
#include "os/file_lock.hh"
#include "os/files.hh"

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

// Counts that the operator has set for types that the live release does not have.
std::map<ProcessType, std::uint32_t> pending_counts(Context& context, const App& app,
                                                    const std::optional<Release>& release) {
  auto counts = context.store().counts(app.id);
  if (release) {
    for (const auto& process : release->processes) counts.erase(process.type);
  }
  return counts;
}

int show_scale(Context& context, const App& app, const std::optional<Release>& release, bool json) {
  auto list = Json::array();
  Table table({"TYPE", "COUNT", "SET BY"});
  const auto add = [&](const std::string& type, std::uint32_t count, bool is_scaled, bool is_pending) {
    list.push_back({{"type", type}, {"count", count}, {"scaled", is_scaled}, {"pending", is_pending}});
    const auto by = is_scaled ? "scale" : "the app's files";
    table.add({type, std::to_string(count), is_pending ? "scale, for a release that has this type" : by});
  };
  if (release) {
    for (const auto& process : release->processes) add(process.type.str(), process.count, process.is_scaled, false);
  }
  for (const auto& [type, count] : pending_counts(context, app, release)) add(type.str(), count, true, true);
  if (json) {
    print_json(list);
    return kExitOk;
  }
  if (list.empty()) require_deployed(app, "scale");
  print(table.str());
  if (app.stopped) print(fmt::format("The app is stopped: `start {}` runs these.\n", app.name.str()));
  return kExitOk;
}

using Counts = std::map<ProcessType, std::uint32_t>;

// For types that nothing runs yet: the app is not deployed, or a release that has the type is to come.
int keep_counts(Context& context, const App& app, const Counts& counts, const std::vector<std::string>& words) {
  const auto detail = join(words, ", ");
  return audited(context, {app.name.str(), "scale", detail + " (for a release that has the type)"}, [&] {
    make_directory(context.layout().locks());
    const auto lock = FileLock::acquire(context.layout().app_lock(app.name));
    lock.announce("a change of the scale of " + app.name.str());
    context.store().set_counts(app.id, counts);
    print(fmt::format("Kept for the next release of {} that has the type: {}.\n", app.name.str(), detail));
    return kExitOk;
  });
}

// Before the first push every type may be named. Later a type that the live release does not have is probably a
// misspelling, except with 0: that is how a type that is about to be pushed is kept from starting.
bool is_for_later(const std::optional<Release>& release, const Counts& pending, const ProcessType& type,
                  std::uint32_t count) {
  if (!release) return true;
  return find_process(*release, type) == nullptr && (count == 0 || pending.contains(type));
}

int scale(Context& context, const std::string& name, const std::vector<std::string>& words, bool json) {
  const auto app = context.require_app(name, Right::Deploy);
  const auto release = app.live ? context.store().release(app.id, *app.live) : std::nullopt;
  if (words.empty()) return show_scale(context, app, release, json);
  if (json) throw UsageError("--json is for showing the scale, not for changing it", "leave it out");
  const auto pending = pending_counts(context, app, release);
  Counts now;
  Counts later;
  std::vector<std::string> changes;
  std::vector<std::string> later_words;
  for (const auto& word : words) {
    const auto [type, count] = parse_count(word);
    if (now.contains(type) || later.contains(type)) throw UserError(fmt::format("{} is named twice", type.str()));
    if (is_for_later(release, pending, type, count)) {
      later.emplace(type, count);
      later_words.push_back(word);
      continue;
    }
    now.emplace(type, count);
    const auto& process = require_process(*release, type);
    if (process.count != count) {
      changes.push_back(fmt::format("{} {} to {}", type.str(), process.count, count));
    } else if (!process.is_scaled) {
      changes.push_back(fmt::format("{} stays {}, whatever the app's files say", type.str(), count));
    }
  }
  if (!later.empty()) keep_counts(context, app, later, later_words);
  if (now.empty()) return kExitOk;
  if (changes.empty()) {
    print(fmt::format("The scale of {} is that already: {}.\n", app.name.str(), join(words, " ")));
    return kExitOk;
  }
  auto change = change_of(context, app, DeploymentKind::Scale);
  change.counts = std::move(now);
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
