// backup verify, prune; and what the files of backup commands share.
#include <fmt/format.h>

#include "base/error.hh"
#include "base/text.hh"
#include "cli/backup.hh"
#include "cli/grammar.hh"
#include "cli/output.hh"
#include "cli/verbs.hh"

namespace pushrod {

namespace {

struct Words {
  SubjectWords of;
  std::string target, id, keep_for;
  std::optional<unsigned> keep;
};

int verify(Context& context, const Words& words) {
  auto all = backup_subjects(context, words.of, "verify");
  const auto target = choose_target(context, words.target);
  if (!words.of.all) all = {subject_in(context, words.of, words.target)};
  return for_each_subject(all, [&](const BackupSubject& of) {
    const auto view = find_backup(context, of, target, words.id);
    const auto verified = verify_backup(context, view);
    const auto& [sqlite, dumps] = verified.archive;
    std::vector<std::string> checked{format_bytes(verified.bytes)};
    if (!of.is_service()) checked.push_back(counted(sqlite, "SQLite database"));
    if (dumps > 0) checked.push_back(counted(dumps, "database") + " restored into a scratch service");
    print(fmt::format("Backup {} of {} from {} UTC is sound: {}.\n", view.backup.snapshot, shown(of),
                      format_time(view.backup.time), join(checked, ", ")));
  });
}

int prune(Context& context, const Words& words) {
  context.require_admin();
  auto all = backup_subjects(context, words.of, "prune");
  const auto target = choose_target(context, words.target);
  if (!words.of.all) all = {subject_in(context, words.of, words.target)};
  return for_each_subject(all, [&](const BackupSubject& of) {
    const auto count = prune_target(context, of, target, retention_of(context, of, words.keep, words.keep_for));
    print(fmt::format("Removed {} backup{} of {} from {}.\n", count, count == 1 ? "" : "s", shown(of), target.name));
  });
}

}  // namespace

std::vector<BackupSubject> backup_subjects(Context& context, const SubjectWords& words, const char* verb) {
  if (words.all == !words.name.empty()) {
    throw UserError("name an app or a service, or --all for everything and the platform itself",
                    fmt::format("backup {0} APP, or backup {0} --all", verb));
  }
  if (words.all) return all_subjects(context);
  const auto subject = backup_subject(context, words.name, words.is_service, nullptr);
  require_backup_right(context, subject);
  return {subject};
}

BackupSubject subject_in(Context& context, const SubjectWords& words, const std::string& target) {
  require_backup_right(context, backup_subject(context, words.name, words.is_service, nullptr));
  const auto chosen = choose_target(context, target);
  return backup_subject(context, words.name, words.is_service, &chosen);
}

int for_each_subject(const std::vector<BackupSubject>& subjects,
                     const std::function<void(const BackupSubject&)>& work) {
  if (subjects.size() == 1) {
    work(subjects.front());
    return kExitOk;
  }
  int code = kExitOk;
  for (const auto& subject : subjects) {
    try {
      work(subject);
    } catch (const Cancelled&) {
      throw;
    } catch (const Error& error) {
      code = kExitRequest;
      fmt::print(stderr, "pushrod: {}: {}\n", shown(subject), escaped(error.message()));
    }
  }
  return code;
}

BackupRetention retention_of(Context& context, const BackupSubject& of, const std::optional<unsigned>& keep,
                             const std::string& keep_for) {
  const auto schedule = schedule_of(context.store(), of);
  auto retention = schedule ? schedule->retention : BackupRetention{};
  if (keep) retention.count = *keep;
  if (!keep_for.empty()) {
    const auto age = parse_duration(keep_for);
    if (!age) throw UserError(fmt::format("{} is no length of time", quoted(keep_for)), "for example 30d, or 12h");
    retention.age = std::chrono::duration_cast<std::chrono::seconds>(*age);
  }
  if (retention.count == 0) throw UserError("at least one backup must stay", "--keep 1, or more");
  return retention;
}

Verb takes_subject(Verb verb, SubjectWords& words) {
  return verb.takes(kSubject, words.name, "the app, or the service by itself")
      .flag("--service", words.is_service, "the service, also where an app has the same name");
}

Verb takes_all(Verb verb, SubjectWords& words) {
  return verb.flag("--all", words.all, "all apps, the services that no app is attached to, and the platform itself");
}

void add_backup_check_verbs(Grammar& grammar) {
  const auto words = std::make_shared<Words>();
  const auto verb = [&](const char* name, const char* help, int (*action)(Context&, const Words&)) {
    auto made = grammar.verb("backup", name, help, [=](Context& context) { return action(context, *words); });
    return takes_all(takes_subject(made, words->of), words->of)
        .option("--target", words->target, "where it is (default: the only target)");
  };
  verb("verify", "restore the newest backup into a scratch directory, and check it", verify)
      .option("--backup", words->id, "which one (default: the newest)");
  verb("prune", "remove old backups", prune)
      .option("--keep", words->keep, "how many of the newest stay (default: as the schedule says, or 7)")
      .option("--keep-for", words->keep_for, "those that are younger stay, too: 30d");
}

}  // namespace pushrod
