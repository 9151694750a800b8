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
#include "operate/service_backups.hh"
#include "os/stop_signal.hh"

namespace pushrod {

namespace {

struct Words {
  SubjectWords of;
  std::string target, id;
  bool json = false;
};

int create(Context& context, const Words& words) {
  const auto all = backup_subjects(context, words.of, "create");
  if (context.caller().is_remote()) outlive_client();
  const auto target = choose_target(context, words.target);
  return for_each_subject(all, [&](const BackupSubject& of) {
    const auto made = create_backup(context, of, target);
    for (const auto& note : made.notes) fmt::print(stderr, "Note: {}.\n", escaped(note));
    print(fmt::format("Backed up {} to {}: {}, {}, read back.\n", shown(of), target.name, made.snapshot,
                      format_bytes(made.bytes)));
  });
}

int list(Context& context, const Words& words) {
  if (words.of.name.empty()) require_backup_right(context, {});
  std::optional<BackupSubject> of;
  if (!words.of.name.empty()) of = subject_in(context, words.of, words.target);
  const auto views = list_backups(context, of, choose_target(context, words.target));
  auto json = Json::array();
  Table table({"BACKUP", "OF", "TARGET", "TIME (UTC)"});
  for (const auto& view : views) {
    json.push_back(to_json(view));
    table.add({view.backup.snapshot, shown(view.backup.of), view.target, format_time(view.backup.time)});
  }
  if (words.json) {
    print_json(json);
  } else {
    print(table.is_empty() ? std::string("There are no backups.\n") : table.str());
  }
  return kExitOk;
}

int show_service(Context& context, const Words& words, const BackupView& view) {
  const auto archive = show_service_backup(context, view);
  auto json = to_json(view);
  json["content"] = to_json(archive);
  if (words.json) return print_json(json), kExitOk;
  std::vector<std::string> databases;
  for (const auto& [database, file] : archive.dumps) databases.push_back(database.empty() ? "all" : escaped(database));
  auto text = fmt::format("Backup {} of {}, {} UTC, in {}\n  type       {} {}\n  memory     {}\n", view.backup.snapshot,
                          shown(view.backup.of), format_time(view.backup.time), view.target, archive.type,
                          archive.version, format_bytes(archive.memory));
  if (archive.disk != 0) text += fmt::format("  disk       {}\n", format_bytes(archive.disk));
  if (archive.cpu_percent != 0) text += fmt::format("  cpu        {} of a processor\n", archive.cpu_percent / 100.0);
  print(text + fmt::format("  databases  {}\n", databases.empty() ? "none" : join(databases, ", ")));
  return kExitOk;
}

int show(Context& context, const Words& words) {
  if (words.of.name.empty()) throw UsageError("missing app or service", "usage: backup show APP-OR-SERVICE");
  const auto of = subject_in(context, words.of, words.target);
  const auto view = find_backup(context, of, choose_target(context, words.target), words.id);
  if (view.backup.of.is_service()) return show_service(context, words, view);
  const auto app = show_backup(context, view);
  auto json = to_json(view);
  json["content"] = Json::parse(to_json(app));
  if (words.json) {
    print_json(json);
    return kExitOk;
  }
  print(fmt::format(
      "Backup {} of {}, {} UTC, in {}\n  commit     {}\n  deployed   {}\n  settings   {}\n  domains    {}\n",
      view.backup.snapshot, shown(view.backup.of), format_time(view.backup.time), view.target,
      app.commit ? abbreviated(*app.commit) : "none", app.deployed ? "yes" : "no", app.settings.size(),
      app.domains.size()));
  return kExitOk;
}

}  // namespace

void add_backup_verbs(Grammar& grammar) {
  const auto words = std::make_shared<Words>();
  const auto verb = [&](const char* name, const char* help, int (*action)(Context&, const Words&)) {
    auto made = grammar.verb("backup", name, help, [=](Context& context) { return action(context, *words); });
    return made.option("--target", words->target, "where it is (default: the only target)");
  };
  grammar.describe_group("backup", "back up apps, services and the platform, check backups, restore them");
  takes_all(takes_subject(verb("create", "back up an app or a service now", create), words->of), words->of);
  takes_subject(verb("list", "what backups there are", list), words->of).json(words->json);
  takes_subject(verb("show", "what is in a backup", show), words->of)
      .option("--backup", words->id, "which one (default: the newest)")
      .json(words->json);
}

}  // namespace pushrod
