// backup target add, list, remove; backup schedule.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/error.hh"
#include "base/text.hh"
#include "cli/backup.hh"
#include "cli/grammar.hh"
#include "cli/input.hh"
#include "cli/output.hh"
#include "cli/verbs.hh"

namespace pushrod {

namespace {

constexpr std::size_t kLargestCredentials = std::size_t{64} << 10;

struct Words {
  SubjectWords of;
  std::string name, url, credentials, target, at, keep_for;
  std::optional<unsigned> keep;
  bool none = false, json = false;
};

int target_add(Context& context, const Words& words) {
  context.require_admin();
  std::string credentials;
  if (!words.credentials.empty()) {
    credentials = read_input(context, words.credentials,
                             {"credentials", "backup target add NAME URL --credentials - < FILE", kLargestCredentials});
  }
  const auto added = add_target(context, parse_target_name(words.name), words.url, credentials);
  print(fmt::format("Backup target {} is ready{}.\n", words.name, added.has_backups ? "; it has backups already" : ""));
  if (added.password) {
    print(
        fmt::format("Its password:\n\n  {}\n\nKeep it apart from this machine. When the machine is lost, it alone "
                    "opens the backups; Pushrod "
                    "does not show it again.\n",
                    added.password->reveal()));
  }
  return kExitOk;
}

int target_list(Context& context, const Words& words) {
  auto json = Json::array();
  Table table({"TARGET", "URL", "ADDED (UTC)"});
  for (const auto& target : list_targets(context)) {
    json.push_back(to_json(target));
    table.add({target.name, target.url, format_time(target.added)});
  }
  if (words.json) {
    print_json(json);
  } else {
    print(table.is_empty() ? std::string("There is no backup target: pushrod backup target add NAME URL\n")
                           : table.str());
  }
  return kExitOk;
}

int target_remove(Context& context, const Words& words) {
  context.require_admin();
  remove_target(context, words.name);
  print(fmt::format("Backup target {} is removed, with the schedules that used it. The backups in it stay.\n",
                    words.name));
  return kExitOk;
}

int schedule_list(Context& context, bool json) {
  auto list = Json::array();
  Table table({"OF", "TARGET", "SCHEDULE", "KEEPS", "NEXT (UTC)"});
  for (const auto& view : list_schedules(context)) {
    const auto& [of, target, schedule, retention, seen] = view.schedule;
    list.push_back(to_json(view));
    table.add(
        {of.is_platform() ? "all" : shown(of), target, schedule,
         fmt::format("{}{}", retention.count,
                     retention.age.count() > 0 ? ", and those younger than " + format_duration(retention.age) : ""),
         view.next ? format_time(*view.next) : "never"});
  }
  if (json) {
    print_json(list);
  } else {
    print(table.is_empty()
              ? std::string("Nothing is backed up by the clock: pushrod backup schedule --all --at \"0 3 * * *\"\n")
              : table.str());
  }
  return kExitOk;
}

int schedule(Context& context, const Words& words) {
  context.require_admin();
  if (words.of.name.empty() && !words.of.all) return schedule_list(context, words.json);
  BackupSubject of;
  if (!words.of.all) of = backup_subject(context, words.of.name, words.of.is_service, nullptr);
  if (words.none) {
    remove_schedule(context, of);
    print(words.of.all ? "Nothing is backed up together with everything any more.\n"
                       : fmt::format("{} is not backed up by its own clock any more.\n", shown(of)));
    return kExitOk;
  }
  const BackupSchedule wanted{of, choose_target(context, words.target).name, words.at.empty() ? "0 3 * * *" : words.at,
                              retention_of(context, of, words.keep, words.keep_for), now()};
  set_schedule(context, wanted);
  return schedule_list(context, false);
}

}  // namespace

void add_backup_target_verbs(Grammar& grammar) {
  const auto words = std::make_shared<Words>();
  grammar.describe_group("backup target", "places for backups");
  grammar
      .verb("backup target", "add", "name a place for backups",
            [words](Context& context) { return target_add(context, *words); })
      .needs("NAME", words->name, "its name")
      .needs("URL", words->url, "a directory, sftp:user@host:/path, s3:https://host/bucket, or what else restic takes")
      .option("--credentials", words->credentials, "a file of NAME=value lines for restic; - reads standard input");
  grammar
      .verb("backup target", "list", "the places for backups",
            [words](Context& context) { return target_list(context, *words); })
      .json(words->json);
  grammar
      .verb("backup target", "remove", "forget a place; the backups in it stay",
            [words](Context& context) { return target_remove(context, *words); })
      .needs("NAME", words->name, "its name");
  auto schedule_verb =
      grammar.verb("backup", "schedule", "back up by the clock; without a name and --all: what is scheduled",
                   [words](Context& context) { return schedule(context, *words); });
  takes_all(takes_subject(schedule_verb, words->of), words->of)
      .option("--at", words->at, "when, as in a crontab (default: 0 3 * * *)")
      .option("--target", words->target, "where to (default: the only target)")
      .option("--keep", words->keep, "how many of the newest stay (default: 7)")
      .option("--keep-for", words->keep_for, "those that are younger stay, too: 30d")
      .flag("--none", words->none, "no longer")
      .json(words->json);
}

}  // namespace pushrod
