// releases, release, rollback.
// A rollback brings back the code, settings and processes of a release that is kept, without a build; all apps
// of a branch go back together, since the branch's ref names what they run (I1).
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/error.hh"
#include "base/text.hh"
#include "cli/change.hh"
#include "cli/grammar.hh"
#include "cli/output.hh"
#include "cli/verbs.hh"
#include "git/repository.hh"
#include "model/difference.hh"
#include "model/source.hh"

namespace pushrod {

namespace {

std::string processes_of(const Release& release) {
  std::vector<std::string> parts;
  for (const auto& process : release.processes) {
    parts.push_back(fmt::format("{}={}", process.type.str(), process.count));
  }
  return join(parts, " ");
}

Release require_release(Context& context, const App& app, ReleaseNumber number) {
  if (auto release = context.store().release(app.id, number)) return *std::move(release);
  throw UserError(fmt::format("release {} of {} is not kept, or never was", number, app.name.str()),
                  fmt::format("`releases {}` lists those that are", app.name.str()));
}

// The release before it among those that are kept.
std::optional<Release> before(Context& context, const App& app, ReleaseNumber number) {
  for (auto& release : context.store().releases(app.id)) {
    if (release.number < number) return std::move(release);
  }
  return std::nullopt;
}

Json json_of(const App& app, const Release& release, const std::optional<Deployment>& made_by) {
  Json value = {{"app", app.name.str()},
                {"number", release.number},
                {"live", app.live == release.number},
                {"commit", release.commit.str()},
                {"builder", release.builder},
                {"created", iso_time(release.created)},
                {"kind", made_by ? Json(to_string(made_by->kind)) : Json(nullptr)},
                {"author", made_by ? Json(made_by->author) : Json(nullptr)},
                {"detail", made_by ? Json(made_by->detail) : Json(nullptr)},
                {"writable", release.writable},
                {"processes", Json::object()},
                {"settings", Json::array()}};
  for (const auto& process : release.processes) value["processes"][process.type.str()] = process.count;
  for (const auto& [name, setting] : release.settings) value["settings"].push_back(name.str());
  return value;
}

int releases(Context& context, const std::string& name, bool json) {
  const auto app = context.require_app(name, Right::See);
  auto list = Json::array();
  Table table({"RELEASE", "", "COMMIT", "KIND", "BY", "MADE (UTC)", "PROCESSES", "WHAT"});
  for (const auto& release : context.store().releases(app.id)) {
    const auto made_by = context.store().deployment(app.id, release.number);
    list.push_back(json_of(app, release, made_by));
    table.add({std::to_string(release.number), app.live == release.number ? "live" : "", abbreviated(release.commit),
               made_by ? std::string(to_string(made_by->kind)) : "-", made_by ? made_by->author : "-",
               format_time(release.created), processes_of(release), made_by ? made_by->detail : ""});
  }
  if (json) {
    print_json(list);
  } else {
    print(table.is_empty() ? fmt::format("App {} has no releases: it has never been deployed.\n", app.name.str())
                           : table.str());
  }
  return kExitOk;
}

int release(Context& context, const std::string& name, ReleaseNumber number, bool json) {
  const auto app = context.require_app(name, Right::See);
  const auto found = require_release(context, app, number);
  const auto made_by = context.store().deployment(app.id, number);
  const auto older = before(context, app, number);
  const auto changes = older ? differences(*older, found) : std::vector<Difference>{};
  if (json) {
    auto value = json_of(app, found, made_by);
    value["before"] = older ? Json(older->number) : Json(nullptr);
    value["changes"] = Json::array();
    for (const auto& [what, from, to] : changes) {
      value["changes"].push_back({{"what", what}, {"from", from}, {"to", to}});
    }
    print_json(value);
    return kExitOk;
  }
  std::string text = fmt::format(
      "Release {} of {}{}\n  commit     {} {}\n  builder    {}\n  made       {}\n", number, app.name.str(),
      app.live == number ? ", live" : "", abbreviated(found.commit),
      quoted(Repository(context.layout().repo(app.repo), context.settings().push_memory).subject(found.commit), 60),
      found.builder, format_time(found.created));
  if (made_by) {
    text += fmt::format("  by         {} ({}){}\n", escaped(made_by->author), to_string(made_by->kind),
                        made_by->detail.empty() ? "" : ": " + escaped(made_by->detail));
  }
  text += fmt::format("  processes  {}\n", processes_of(found));
  std::vector<std::string> names;
  for (const auto& [setting, value] : found.settings) names.push_back(setting.str());
  if (!found.writable.empty()) text += fmt::format("  writable   {}\n", escaped(join(found.writable, ", ")));
  text += fmt::format("  settings   {}\n", names.empty() ? "none" : join(names, ", "));
  if (older) {
    text += fmt::format("Against release {}:\n", older->number);
    if (changes.empty()) text += "  nothing else\n";
    for (const auto& [what, from, to] : changes) {
      text += from.empty() ? fmt::format("  {}: {}\n", escaped(what), escaped(to))
                           : fmt::format("  {}: {} -> {}\n", escaped(what), escaped(from, 100), escaped(to, 100));
    }
  }
  print(text);
  return kExitOk;
}

// The release to go back to when none is named: what ran before the live one, other than a mere restart of it.
ReleaseNumber previous_release(Context& context, const App& app) {
  const auto live = require_release(context, app, app.live.value());
  for (const auto& candidate : context.store().releases(app.id)) {
    if (candidate.number < live.number && !differences(candidate, live).empty()) return candidate.number;
  }
  throw UserError(fmt::format("no release of {} that differs from the live one is kept", app.name.str()),
                  fmt::format("`releases {}` lists what there is", app.name.str()));
}

// The newest release of an app that runs this commit.
ReleaseNumber release_at(Context& context, const App& app, const CommitId& commit) {
  for (const auto& candidate : context.store().releases(app.id)) {
    if (candidate.commit == commit) return candidate.number;
  }
  throw UserError(fmt::format("{} runs from the same branch, and no release of it at {} is kept", app.name.str(),
                              abbreviated(commit)),
                  "push the commit instead: git push --force REMOTE COMMIT:BRANCH");
}

int rollback(Context& context, const std::string& name, std::optional<ReleaseNumber> wanted) {
  const auto app = context.require_app(name, Right::Deploy);
  require_deployed(app, "roll back");
  const auto number = wanted ? *wanted : previous_release(context, app);
  if (number == *app.live) throw UserError(fmt::format("release {} of {} is the live one", number, app.name.str()));
  const auto target = require_release(context, app, number);
  check_same_branch(app, number, target.source);
  auto change = change_of(context, app, DeploymentKind::Rollback);
  change.commit = target.commit;
  change.releases.emplace(app.id, number);
  change.detail = fmt::format("to release {}", number);
  if (target.commit != change.previous) {
    for (const auto& other : context.store().apps_of(app.repo, app.branch)) {
      if (other.id == app.id || !other.live) continue;
      // By its name it would be told that it is there.
      if (!context.may(other.name, Right::Deploy)) {
        throw UserError(
            fmt::format("branch {} runs other apps as well, which go back with {}, and this key may not change "
                        "all of them",
                        quoted(app.branch.str()), app.name.str()),
            "ask an administrator of this machine");
      }
      change.apps.push_back(other);
      change.releases.emplace(other.id, release_at(context, other, target.commit));
    }
  }
  return run_change(context, change);
}

}  // namespace

void add_release_verbs(Grammar& grammar) {
  struct Words {
    std::string app;
    ReleaseNumber number = 0;
    std::optional<ReleaseNumber> target;
    bool json = false;
  };
  const auto words = std::make_shared<Words>();
  grammar
      .verb("releases", "the releases of an app that are kept",
            [words](Context& context) { return releases(context, words->app, words->json); })
      .app(words->app)
      .json(words->json);
  grammar
      .verb("release", "one release, and what changed against the one before",
            [words](Context& context) { return release(context, words->app, words->number, words->json); })
      .app(words->app)
      .needs("N", words->number, "its number")
      .json(words->json);
  grammar
      .verb("rollback", "bring an older release back: code, settings and processes",
            [words](Context& context) { return rollback(context, words->app, words->target); })
      .app(words->app)
      .takes("N", words->target, "which one (default: the newest that differs from the live one)");
}

}  // namespace pushrod
