// What a push would do.
#include "deploy/dry_run.hh"

#include <fmt/format.h>

#include <functional>
#include <set>

#include "base/error.hh"
#include "base/text.hh"
#include "config/app_manifest.hh"
#include "deploy/host_mounts.hh"
#include "deploy/planned_release.hh"
#include "git/pushed.hh"
#include "model/difference.hh"
#include "model/source.hh"
#include "os/files.hh"
#include "services/attachments.hh"

namespace pushrod {

namespace {

constexpr std::size_t kLongestCommand = 200;

void tell(Journal& journal, std::string_view what, const std::string& text) {
  journal.line(fmt::format("{:<10} {}", what, text));
}

// "5fd4be3d65..3f2a1b9c4d: 3 new commits, 1 dropped"
std::string described(const RefCommand& command, const PushedCommits& commits) {
  std::string text = command.before ? abbreviated(*command.before) + ".." : "";
  text += fmt::format("{}: {}", abbreviated(*command.after), counted(commits.added, "new commit"));
  if (commits.dropped > 0) text += fmt::format(", {} dropped", commits.dropped);
  return text;
}

void tell_differences(const Platform& platform, const PlannedRelease& planned, const App& app, Journal& journal) {
  const auto live = app.live ? platform.store.release(app.id, *app.live) : std::nullopt;
  if (!live) {
    tell(journal, "changes", "everything: it is not deployed yet");
    return;
  }
  auto planned_release = planned.release;
  planned_release.writable = live->writable;  // it is known when the release is built
  const auto found = differences(*live, planned_release);
  if (found.empty()) tell(journal, "changes", fmt::format("none since release {}", live->number));
  for (const auto& [what, from, to] : found) {
    tell(journal, "changes",
         fmt::format("{}: {}{}{}", what, escaped(from, kLongestCommand), from.empty() ? "" : " → ",
                     escaped(to, kLongestCommand)));
  }
}

void tell_plan(const PlannedRelease& planned, Journal& journal) {
  tell(journal, "builder", escaped(planned.plan.description, kLongestCommand));
  for (const auto& process : planned.release.processes) {
    tell(journal, "process",
         fmt::format("{} × {}: {}", process.type.str(), process.count, escaped(process.command, kLongestCommand)));
  }
  if (planned.manifest.release_command) {
    tell(journal, "release", escaped(*planned.manifest.release_command, kLongestCommand));
  }
  auto writable = planned.manifest.writable;
  writable.insert(writable.end(), planned.known_writable.begin(), planned.known_writable.end());
  if (!writable.empty()) tell(journal, "writable", escaped(join(writable, ", "), kLongestCommand));
  for (const auto& cron : planned.release.crons) {
    tell(journal, "cron", fmt::format("{}: {} {}", cron.name, cron.schedule, escaped(cron.command, kLongestCommand)));
  }
}

// What a builder looks at below the app's directory: modules, pages, programs. The directories near it come first.
void write_below(const std::string& path, const fs::path& tree, const std::function<void(const std::string&)>& write) {
  constexpr std::size_t kMostDirectories = 40;
  constexpr int kDeepest = 3;
  std::vector<std::string> level{path};
  std::size_t written = 0;
  for (int depth = 0; depth < kDeepest && !level.empty(); ++depth) {
    std::vector<std::string> below;
    for (const auto& directory : level) {
      for (const auto& name : list_directory(tree / directory)) {
        const auto inner = directory.empty() ? name : directory + "/" + name;
        if (name.starts_with('.') || name == "node_modules" || !is_directory(tree / inner)) continue;
        if (++written > kMostDirectories) return;
        write(inner);
        below.push_back(inner);
      }
    }
    level = std::move(below);
  }
}

// The commit's tree in the quarantine, as far as it is needed: the directories from the app's up to its build root,
// those below it, and that of its manifest.
fs::path extract(const Repository& repository, const App& app, const CommitId& commit) {
  const auto quarantine = quarantine_directory();
  if (!quarantine) throw Error("a dry run was asked for outside of a push");
  const auto tree = *quarantine / "pushrod-dry-run" / app.name.str() / "tree";
  std::set<std::string> written;
  const auto write = [&](const std::string& directory) {
    if (!written.insert(directory).second) return;
    write_directory(repository, commit, directory, directory.empty() ? tree : tree / directory);
  };
  write(app.path);
  write_below(app.path, tree, write);
  try {
    if (!app.config.empty()) write(fs::path(app.config).parent_path().string());
  } catch (const UserError&) {  // load_manifest() tells which file is missing
  }
  const auto manifest = load_manifest(app.path.empty() ? tree : tree / app.path, app.path, app.config);
  const auto root = root_of(planned_source(app, manifest));
  for (auto directory = app.path; directory != root;) {
    directory = fs::path(directory).parent_path().string();
    write(directory);
  }
  return tree;
}

void tell_app(const Platform& platform, const Repository& repository, const App& app, const RefCommand& command,
              Journal& journal) {
  const auto commits = pushed_commits(repository, command.before, *command.after);
  journal.headline(
      fmt::format("{} would run {} {}", app.name.str(), abbreviated(*command.after), quoted(commits.subject, 60)));
  tell(journal, "commits", described(command, commits));
  const auto tree = extract(repository, app, *command.after);
  const auto planned = plan_release(platform, app, 0, *command.after, tree, journal);
  tell_plan(planned, journal);
  for (const auto& [from, to, is_writable] : host_directories_of(platform, planned.release)) {
    tell(journal, "mount",
         fmt::format("{}: {} of this machine, {}", escaped(to, kLongestCommand), escaped(from, kLongestCommand),
                     is_writable ? "writable" : "read-only"));
  }
  auto services = planned_services(platform, app, planned.manifest);
  for (const auto& [action, declared, service, tcp] : services) {
    const auto* what = action == PlannedService::Action::Create   ? "would be created"
                       : action == PlannedService::Action::Attach ? "would be attached"
                                                                  : "is attached";
    tell(journal, "service",
         fmt::format("{}: {} ({}) {}{}", declared.key, service.name.str(), shown_type(service), what,
                     tcp ? ", with a port of 127.0.0.1 that every app on this machine can reach" : ""));
  }
  for (const auto& service : undeclared_services(platform, app, planned.manifest)) {
    tell(journal, "service", fmt::format("{} is no longer declared, and stays", service.name.str()));
  }
  tell_differences(platform, planned, app, journal);
  // Its services would give these.
  auto complete = planned;
  for (const auto& [action, declared, service, tcp] : services) {
    const auto& type = require_service_type(service.type);
    ServiceAccount account;
    if (tcp) account.port = Port{0};
    for (const auto& [name, variable] : type.variables(account, prefix_for(type, declared.prefix))) {
      complete.release.settings.emplace(SettingName::parse(name), AppSetting{});
    }
  }
  check_settings(complete);
}

}  // namespace

void tell_dry_run(const Platform& platform, const RepoName& repo, const Repository& repository,
                  const std::vector<RefVerdict>& verdicts, Journal& journal) {
  for (const auto& verdict : verdicts) {
    const auto& command = verdict.command;
    if (verdict.fate == Fate::Store) {
      journal.headline(fmt::format("{} would be {}", quoted(command.ref), command.after ? "stored" : "deleted"));
    }
    if (verdict.fate != Fate::Deploy) continue;
    const auto apps = platform.store.apps_of(repo, branch_of(command.ref).value());
    for (const auto& app : apps) {
      journal.speak_of(apps.size() > 1 ? app.name.str() : "");
      if (!command.after) {
        journal.headline(fmt::format("{} would be stopped and no longer be deployed", app.name.str()));
        continue;
      }
      try {
        tell_app(platform, repository, app, command, journal);
      } catch (const UserError& error) {
        journal.complaint("The push would fail: " + escaped(error.message()));
        if (!error.hint().empty()) journal.complaint(escaped(error.hint()));
      }
    }
    journal.speak_of("");
  }
}

}  // namespace pushrod
