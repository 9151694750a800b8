// backup restore; restore: the platform itself, on an empty machine.
#include <fmt/format.h>
#include <unistd.h>

#include "base/error.hh"
#include "base/text.hh"
#include "cli/change.hh"
#include "cli/grammar.hh"
#include "cli/input.hh"
#include "cli/output.hh"
#include "cli/verbs.hh"
#include "operate/backups.hh"
#include "operate/keys.hh"
#include "os/stop_signal.hh"

namespace pushrod {

namespace {

constexpr std::size_t kLargestCredentials = std::size_t{64} << 10;

struct Words {
  std::string app, name, target, id, url, credentials = "-";
  bool all = false;
};

// The app is there: the backup takes its place.
void restore_over(Context& context, const BackupView& view, Journal& journal, int cancel_fd) {
  const auto restored = restore_in_place(context, view, journal, cancel_fd);
  const auto& app = view.backup.app;
  if (!restored.outcome.live) throw UserError(fmt::format("app {} is as it was: {}", app, restored.outcome.refusal));
  print(fmt::format(
      "App {} is as it was on {} UTC. As it was until now, it is backup {}: backup restore {} --backup {}\n", app,
      format_time(view.backup.time), restored.aside.snapshot, app, restored.aside.snapshot));
}

void restore_one(Context& context, const Words& words, const BackupTarget& target, const std::string& app,
                 Journal& journal, int cancel_fd) {
  std::optional<AppName> name;
  if (!words.name.empty()) name = AppName::parse(words.name);
  const auto view = find_backup(context, app, target, words.id);
  if (!name && context.store().app(AppName::parse(app))) {
    restore_over(context, view, journal, cancel_fd);
    return;
  }
  const auto imported = restore_backup(context, view, name, journal, cancel_fd);
  for (const auto& note : imported.notes) fmt::print(stderr, "Note: {}.\n", escaped(note));
  print(fmt::format("App {} is restored, as it was on {} UTC. {}\n", imported.app.name.str(),
                    format_time(view.backup.time),
                    imported.app.live ? "It answers at " + imported.url : "It was not deployed, and is not."));
}

// Every app that the target has a backup of and that is not there.
int restore_all(Context& context, const Words& words, const BackupTarget& target, Journal& journal, int cancel_fd) {
  std::set<std::string> names;
  for (const auto& view : list_backups(context, {}, target)) names.insert(view.backup.app);
  names.erase("");
  int code = kExitOk;
  for (const auto& name : names) {
    if (context.store().app(AppName::parse(name))) {
      print(fmt::format("App {} is here already.\n", name));
      continue;
    }
    try {
      restore_one(context, words, target, name, journal, cancel_fd);
    } catch (const Cancelled&) {
      throw;
    } catch (const Error& error) {
      code = kExitRequest;
      fmt::print(stderr, "pushrod: {}: {}\n", name, escaped(error.message()));
    }
  }
  restore_keys(context, target);
  return code;
}

int restore(Context& context, const Words& words) {
  context.require_admin();
  if (words.all == !words.app.empty()) {
    throw UserError("name an app, or --all for every app that is not here",
                    "backup restore APP, or backup restore --all");
  }
  const auto target = choose_target(context, words.target);
  if (context.caller().is_remote()) outlive_client();
  const int cancel_fd = stop_signal_fd();
  Journal journal(STDOUT_FILENO, is_terminal(STDOUT_FILENO));
  if (words.all) return restore_all(context, words, target, journal, cancel_fd);
  restore_one(context, words, target, words.app, journal, cancel_fd);
  return kExitOk;
}

int restore_machine(Context& context, const Words& words) {
  const auto credentials = read_input(context, words.credentials,
                                      {"credentials (RESTIC_PASSWORD=… and what the target needs, a line each)",
                                       "restore URL < credentials", kLargestCredentials});
  const auto restored = restore_platform(context, words.url, credentials);
  print(fmt::format("Restored the settings, keys and backup targets of {} UTC.\n", format_time(restored.made)));
  print(fmt::format("Start Pushrod (pushrod up), then restore its {} app{}: pushrod backup restore --all\n",
                    restored.apps.size(), restored.apps.size() == 1 ? "" : "s"));
  return kExitOk;
}

}  // namespace

void add_backup_restore_verb(Grammar& grammar) {
  const auto words = std::make_shared<Words>();
  grammar
      .verb("backup", "restore", "make an app of a backup again",
            [words](Context& context) { return restore(context, *words); })
      .takes("APP", words->app, "the app that was backed up")
      .takes("NEW", words->name, "another name for it")
      .option("--backup", words->id, "which one (default: the newest)")
      .option("--target", words->target, "where it is (default: the only target)")
      .flag("--all", words->all, "every app that is not here");
}

void add_restore_verb(Grammar& grammar) {
  const auto words = std::make_shared<Words>();
  grammar
      .verb("restore", "bring a platform back from its backup, into an empty root directory",
            [words](Context& context) { return restore_machine(context, *words); })
      .needs("URL", words->url, "the target's URL")
      .option("--credentials", words->credentials,
              "a file with RESTIC_PASSWORD=… and the like (default: standard input)");
}

}  // namespace pushrod
