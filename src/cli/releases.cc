// releases, release, rollback.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/error.hh"
#include "base/text.hh"
#include "cli/change.hh"
#include "cli/grammar.hh"
#include "cli/output.hh"
#include "cli/verbs.hh"
#include "operate/releases.hh"

namespace pushrod {

namespace {

std::string processes_of(const Release& release) {
  std::vector<std::string> parts;
  for (const auto& process : release.processes) {
    parts.push_back(fmt::format("{}={}", process.type.str(), process.count));
  }
  return join(parts, " ");
}

std::string settings_of(const Release& release) {
  std::vector<std::string> names;
  for (const auto& [name, setting] : release.settings) names.push_back(name.str());
  return names.empty() ? "none" : join(names, ", ");
}

int releases(Context& context, const std::string& app, bool json) {
  auto list = Json::array();
  Table table({"RELEASE", "", "DATA", "COMMIT", "KIND", "BY", "MADE (UTC)", "PROCESSES", "WHAT"});
  for (const auto& view : list_releases(context, AppName::parse(app))) {
    list.push_back(to_json(view));
    const auto& [release, is_live, made_by, has_snapshot] = view;
    table.add({std::to_string(release.number), is_live ? "live" : "", has_snapshot ? "snapshot" : "",
               abbreviated(release.commit), made_by ? std::string(to_string(made_by->kind)) : "-",
               made_by ? made_by->author : "-", format_time(release.created), processes_of(release),
               made_by ? made_by->detail : ""});
  }
  if (json) {
    print_json(list);
  } else {
    print(table.is_empty() ? fmt::format("App {} has no releases: it has never been deployed.\n", app) : table.str());
  }
  return kExitOk;
}

std::string changes_of(const ReleaseInfo& info) {
  if (!info.before) return "";
  auto text = fmt::format("Changes since release {}:\n", *info.before);
  if (info.changes.empty()) text += "  none\n";
  for (const auto& [what, from, to] : info.changes) {
    text += from.empty() ? fmt::format("  {}: {}\n", escaped(what), escaped(to))
                         : fmt::format("  {}: {} -> {}\n", escaped(what), escaped(from, 100), escaped(to, 100));
  }
  return text;
}

int release(Context& context, const std::string& app, ReleaseNumber number, bool json) {
  const auto info = release_info(context, AppName::parse(app), number);
  if (json) {
    print_json(to_json(info));
    return kExitOk;
  }
  const auto& [release, is_live, made_by, has_snapshot] = info.view;
  auto text = fmt::format("Release {} of {}{}\n", number, app, is_live ? ", live" : "");
  text += fmt::format("  commit     {} {}\n", abbreviated(release.commit), quoted(subject_of(context, release), 60));
  text += fmt::format("  builder    {}\n", release.builder);
  text += fmt::format("  made       {}\n", format_time(release.created));
  if (made_by) {
    text += fmt::format("  by         {} ({}){}\n", escaped(made_by->author), to_string(made_by->kind),
                        made_by->detail.empty() ? "" : ": " + escaped(made_by->detail));
  }
  text += fmt::format("  processes  {}\n", processes_of(release));
  if (!release.writable.empty()) text += fmt::format("  writable   {}\n", escaped(join(release.writable, ", ")));
  for (const auto& mount : release.host_mounts) {
    text += fmt::format("  mount      {}: {}\n", escaped(mount.path), mount.name.str());
  }
  text += fmt::format("  settings   {}\n", settings_of(release));
  if (has_snapshot) text += fmt::format("  snapshot   of its data: rollback {} {} --with-data\n", app, number);
  print(text + changes_of(info));
  return kExitOk;
}

int rollback(Context& context, const std::string& app, std::optional<ReleaseNumber> number, bool with_data) {
  auto change = rollback_change(context, AppName::parse(app), number);
  if (!with_data) return run_change(context, change);
  context.engine().check_ready();
  const Transfer transfer(context.layout());
  add_snapshot(context, change, transfer);
  return run_change(context, change);
}

}  // namespace

void add_release_verbs(Grammar& grammar) {
  struct Words {
    std::string app;
    ReleaseNumber number = 0;
    std::optional<ReleaseNumber> target;
    bool with_data = false;
    bool json = false;
  };
  const auto words = std::make_shared<Words>();
  grammar
      .verb("releases", "the releases of an app",
            [words](Context& context) { return releases(context, words->app, words->json); })
      .app(words->app)
      .json(words->json);
  grammar
      .verb("release", "one release, and what changed since the one before",
            [words](Context& context) { return release(context, words->app, words->number, words->json); })
      .app(words->app)
      .needs("N", words->number, "its number")
      .json(words->json);
  grammar
      .verb("rollback", "go back to an older release: code, settings and processes",
            [words](Context& context) { return rollback(context, words->app, words->target, words->with_data); })
      .app(words->app)
      .takes("N", words->target, "which one (default: the newest that differs from the live one)")
      .flag("--with-data", words->with_data, "/data and databases as well, as they were when it was replaced");
}

}  // namespace pushrod
