// backup create, list, show.
#include "cli/backup.hh"

#include <fmt/format.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "base/error.hh"
#include "base/text.hh"
#include "cli/grammar.hh"
#include "cli/output.hh"
#include "cli/verbs.hh"
#include "os/stop_signal.hh"

namespace pushrod {

namespace {

struct Words {
  std::string app, target, id;
  bool all = false, json = false;
};

std::string shown(const std::string& app) { return app.empty() ? "the platform" : app; }

int create(Context& context, const Words& words) {
  const auto all = backup_subjects(context, words.app, words.all, "create");
  if (context.caller().is_remote()) outlive_client();
  const auto target = choose_target(context, words.target);
  return for_each_subject(all, [&](const std::optional<AppName>& app) {
    const auto made = create_backup(context, app, target);
    for (const auto& note : made.notes) fmt::print(stderr, "Note: {}.\n", escaped(note));
    print(fmt::format("Backed up {} to {}: {}, {}, read back.\n", app ? app->str() : "the platform", target.name,
                      made.snapshot, format_bytes(made.bytes)));
  });
}

int list(Context& context, const Words& words) {
  require_backup_right(context, words.app);
  std::optional<AppName> app;
  if (!words.app.empty()) app = AppName::parse(words.app);
  const auto views = list_backups(context, app, choose_target(context, words.target));
  auto json = Json::array();
  Table table({"BACKUP", "OF", "TARGET", "TIME (UTC)"});
  for (const auto& view : views) {
    json.push_back(to_json(view));
    table.add({view.backup.snapshot, shown(view.backup.app), view.target, format_time(view.backup.time)});
  }
  if (words.json) {
    print_json(json);
  } else {
    print(table.is_empty() ? std::string("There are no backups.\n") : table.str());
  }
  return kExitOk;
}

int show(Context& context, const Words& words) {
  require_backup_right(context, words.app);
  const auto view = find_backup(context, words.app, choose_target(context, words.target), words.id);
  const auto app = show_backup(context, view);
  auto json = to_json(view);
  json["content"] = Json::parse(to_json(app));
  if (words.json) {
    print_json(json);
    return kExitOk;
  }
  print(fmt::format(
      "Backup {} of {}, {} UTC, in {}\n  commit     {}\n  deployed   {}\n  settings   {}\n  domains    {}\n",
      view.backup.snapshot, view.backup.app, format_time(view.backup.time), view.target,
      app.commit ? abbreviated(*app.commit) : "none", app.deployed ? "yes" : "no", app.settings.size(),
      app.domains.size()));
  return kExitOk;
}

}  // namespace

void add_backup_verbs(Grammar& grammar) {
  const auto words = std::make_shared<Words>();
  const auto target = [words](Verb verb) {
    return verb.option("--target", words->target, "where it is (default: the only target)");
  };
  grammar.describe_group("backup", "back up apps and the platform, check backups, restore them");
  target(
      grammar
          .verb("backup", "create", "back up an app now", [words](Context& context) { return create(context, *words); })
          .takes("APP", words->app, "the app"))
      .flag("--all", words->all, "all apps, and the platform itself");
  target(
      grammar
          .verb("backup", "list", "what backups there are", [words](Context& context) { return list(context, *words); })
          .takes("APP", words->app, "the app"))
      .json(words->json);
  target(
      grammar.verb("backup", "show", "what is in a backup", [words](Context& context) { return show(context, *words); })
          .app(words->app))
      .option("--backup", words->id, "which one (default: the newest)")
      .json(words->json);
}

}  // namespace pushrod
