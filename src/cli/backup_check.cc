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
  std::string app, target, id, keep_for;
  std::optional<unsigned> keep;
  bool all = false;
};

int verify(Context& context, const Words& words) {
  const auto all = backup_subjects(context, words.app, words.all, "verify");
  const auto target = choose_target(context, words.target);
  return for_each_subject(all, [&](const std::optional<AppName>& app) {
    const auto view = find_backup(context, app ? app->str() : "", target, words.id);
    const auto verified = verify_backup(context, view);
    const auto& [sqlite, dumps] = verified.archive;
    print(fmt::format("Backup {} of {} from {} UTC is sound: {}, {}{}.\n", view.backup.snapshot,
                      app ? app->str() : "the platform", format_time(view.backup.time), format_bytes(verified.bytes),
                      counted(sqlite, "SQLite database"),
                      dumps == 0 ? "" : ", " + counted(dumps, "database") + " restored into a scratch service"));
  });
}

int prune(Context& context, const Words& words) {
  context.require_admin();
  const auto all = backup_subjects(context, words.app, words.all, "prune");
  const auto target = choose_target(context, words.target);
  return for_each_subject(all, [&](const std::optional<AppName>& app) {
    const auto count = prune_target(context, app, target, retention_of(context, app, words.keep, words.keep_for));
    print(fmt::format("Removed {} backup{} of {} from {}.\n", count, count == 1 ? "" : "s",
                      app ? app->str() : "the platform", target.name));
  });
}

}  // namespace

std::vector<std::optional<AppName>> backup_subjects(Context& context, const std::string& app, bool all,
                                                    const char* verb) {
  if (all == !app.empty()) {
    throw UserError("name an app, or --all for all apps and the platform itself",
                    fmt::format("backup {0} APP, or backup {0} --all", verb));
  }
  if (!all) {
    require_backup_right(context, app);
    return {AppName::parse(app)};
  }
  context.require_admin();
  std::vector<std::optional<AppName>> everything;
  for (const auto& one : context.visible_apps()) everything.emplace_back(one.name);
  everything.emplace_back(std::nullopt);
  return everything;
}

int for_each_subject(const std::vector<std::optional<AppName>>& subjects,
                     const std::function<void(const std::optional<AppName>&)>& work) {
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
      fmt::print(stderr, "pushrod: {}: {}\n", subject ? subject->str() : "the platform", escaped(error.message()));
    }
  }
  return code;
}

BackupRetention retention_of(Context& context, const std::optional<AppName>& app, const std::optional<unsigned>& keep,
                             const std::string& keep_for) {
  const auto schedule = schedule_of(context.store(), app ? app->str() : "");
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

void add_backup_check_verbs(Grammar& grammar) {
  const auto words = std::make_shared<Words>();
  const auto target = [words](Verb verb) {
    return verb.option("--target", words->target, "where it is (default: the only target)");
  };
  target(grammar
             .verb("backup", "verify", "restore the newest backup into a scratch directory, and check it",
                   [words](Context& context) { return verify(context, *words); })
             .takes("APP", words->app, "the app"))
      .option("--backup", words->id, "which one (default: the newest)")
      .flag("--all", words->all, "all apps, and the platform itself");
  target(
      grammar
          .verb("backup", "prune", "remove old backups", [words](Context& context) { return prune(context, *words); })
          .takes("APP", words->app, "the app"))
      .option("--keep", words->keep, "how many of the newest stay (default: as the schedule says, or 7)")
      .option("--keep-for", words->keep_for, "those that are younger stay, too: 30d")
      .flag("--all", words->all, "all apps, and the platform itself");
}

}  // namespace pushrod
