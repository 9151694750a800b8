// backup restore: apps and services.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>

#include "base/error.hh"
#include "base/text.hh"
#include "cli/backup.hh"
#include "cli/change.hh"
#include "cli/grammar.hh"
#include "cli/output.hh"
#include "cli/verbs.hh"
#include "operate/keys.hh"
#include "operate/service_backups.hh"
#include "os/stop_signal.hh"

namespace pushrod {

namespace {

struct Words {
  SubjectWords of;
  std::string name, target, id;
};

// The app is there: the backup takes its place.
void restore_over(Context& context, const BackupView& view, Journal& journal, int cancel_fd) {
  const auto restored = restore_in_place(context, view, journal, cancel_fd);
  const auto& app = view.backup.of.name;
  if (!restored.outcome.live) throw UserError(fmt::format("app {} is as it was: {}", app, restored.outcome.refusal));
  print(fmt::format(
      "App {} is as it was on {} UTC. As it was until now, it is backup {}: backup restore {} --backup {}\n", app,
      format_time(view.backup.time), restored.aside.snapshot, app, restored.aside.snapshot));
}

void restore_service(Context& context, const Words& words, const BackupView& view, int cancel_fd) {
  std::optional<ServiceName> to;
  if (!words.name.empty()) to = ServiceName::parse(words.name);
  const auto tell = [](const std::string& line) { print(line + "\n"); };
  const auto restored = restore_service_backup(context, view, to, tell, cancel_fd);
  const auto& name = restored.service.name.str();
  print(fmt::format(
      "Service {} holds what {} held on {} UTC. {}\n", name, to ? view.backup.of.name : "it",
      format_time(view.backup.time),
      restored.in_place
          ? fmt::format("What it held until now is kept: service upgrade {0} --back, or service forget {0}", name)
          : fmt::format("Attach it to an app: service attach {} APP --database DATABASE", name)));
}

void restore_one(Context& context, const Words& words, const BackupTarget& target, const BackupSubject& of,
                 Journal& journal, int cancel_fd) {
  const auto view = find_backup(context, of, target, words.id);
  if (of.is_service()) return restore_service(context, words, view, cancel_fd);
  std::optional<AppName> name;
  if (!words.name.empty()) name = AppName::parse(words.name);
  if (!name && context.store().app(AppName::parse(of.name))) {
    restore_over(context, view, journal, cancel_fd);
    return;
  }
  const auto imported = restore_backup(context, view, name, journal, cancel_fd);
  for (const auto& note : imported.notes) fmt::print(stderr, "Note: {}.\n", escaped(note));
  print(fmt::format("App {} is restored, as it was on {} UTC. {}\n", imported.app.name.str(),
                    format_time(view.backup.time),
                    imported.app.live ? "It answers at " + imported.url : "It was not deployed, and is not."));
}

// Of what the target has a backup: apps, then services, since an app brings its own.
std::vector<BackupSubject> backed_up(Context& context, const BackupTarget& target) {
  std::vector<BackupSubject> subjects;
  for (const auto& view : list_backups(context, {}, target)) {
    const auto& of = view.backup.of;
    if (!of.is_platform() && std::ranges::find(subjects, of) == subjects.end()) subjects.push_back(of);
  }
  std::ranges::sort(subjects, {}, [](const BackupSubject& of) { return std::pair(of.is_service(), of.name); });
  return subjects;
}

bool is_here(Context& context, const BackupSubject& of) {
  if (of.is_service()) return context.store().service(ServiceName::parse(of.name)).has_value();
  return context.store().app(AppName::parse(of.name)).has_value();
}

// Everything that the target has a backup of and that is not there.
int restore_all(Context& context, const Words& words, const BackupTarget& target, Journal& journal, int cancel_fd) {
  int code = kExitOk;
  for (const auto& of : backed_up(context, target)) {
    if (is_here(context, of)) {
      print(fmt::format("{} {} is here already.\n", of.is_service() ? "Service" : "App", of.name));
      continue;
    }
    try {
      restore_one(context, words, target, of, journal, cancel_fd);
    } catch (const Cancelled&) {
      throw;
    } catch (const Error& error) {
      code = kExitRequest;
      fmt::print(stderr, "pushrod: {}: {}\n", shown(of), escaped(error.message()));
    }
  }
  restore_keys(context, target);
  return code;
}

int restore(Context& context, const Words& words) {
  context.require_admin();
  if (words.of.all == !words.of.name.empty()) {
    throw UserError("name an app or a service, or --all for everything that is not here",
                    "backup restore APP, or backup restore --all");
  }
  const auto target = choose_target(context, words.target);
  if (context.caller().is_remote()) outlive_client();
  const int cancel_fd = stop_signal_fd();
  Journal journal(STDOUT_FILENO, is_terminal(STDOUT_FILENO));
  if (words.of.all) return restore_all(context, words, target, journal, cancel_fd);
  restore_one(context, words, target, subject_in(context, words.of, words.target), journal, cancel_fd);
  return kExitOk;
}

}  // namespace

void add_backup_restore_verb(Grammar& grammar) {
  const auto words = std::make_shared<Words>();
  auto verb = grammar.verb("backup", "restore", "make an app or a service of a backup again",
                           [words](Context& context) { return restore(context, *words); });
  takes_subject(verb, words->of)
      .takes("NEW", words->name, "another name for it")
      .option("--backup", words->id, "which one (default: the newest)")
      .option("--target", words->target, "where it is (default: the only target)")
      .flag("--all", words->of.all, "every app, and every service by itself, that is not here");
}

}  // namespace pushrod
