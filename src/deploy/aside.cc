// State of an app that is put aside.
#include "deploy/aside.hh"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>

#include "base/error.hh"
#include "base/text.hh"
#include "deploy/placement.hh"
#include "deploy/trash.hh"
#include "os/exchange.hh"
#include "os/files.hh"

namespace pushrod {

namespace {

constexpr const char* kDump = ".dump";
constexpr const char* kDatabases = "databases";
constexpr const char* kKeep = "keep ";

fs::path aside_databases(const fs::path& aside) { return aside.native() + "." + kDatabases; }
fs::path mark_file(const fs::path& aside) { return aside.native() + ".mark"; }

std::optional<AsideMark> read_mark(const fs::path& aside) {
  const auto text = read_file(mark_file(aside));
  if (!text) return std::nullopt;
  AsideMark mark;
  for (const auto& line : lines_of(*text)) {
    if (line == kDatabases) {
      mark.databases = true;
    } else if (line.starts_with(kKeep)) {
      mark.keep = number_of(line.substr(std::string_view(kKeep).size()));
    } else {
      mark.changed = line;
    }
  }
  return mark;
}

void discard_if_there(const Layout& layout, const fs::path& directory) {
  if (is_directory(directory)) discard(layout, directory);
}

void remove_aside(const Layout& layout, const fs::path& aside) {
  discard_if_there(layout, aside);
  discard_if_there(layout, aside_databases(aside));
  remove_file(mark_file(aside));
}

// Each renaming may have been done already, by a process that was killed.
void keep_snapshot(const Layout& layout, const Deployment& deployment, ReleaseNumber release) {
  const auto aside = aside_data(layout, deployment);
  const auto fresh = snapshots_directory(layout, deployment.app_id) / fmt::format(".new.{}", deployment.number);
  const auto snapshot = snapshot_directory(layout, deployment.app_id, release);
  if (is_directory(aside) || is_directory(aside_databases(aside))) make_directory(fresh);
  if (is_directory(aside)) rename_path(aside, snapshot_data(fresh));
  if (is_directory(aside_databases(aside))) rename_path(aside_databases(aside), snapshot_databases(fresh));
  if (!is_directory(fresh)) return;
  discard_if_there(layout, snapshot);
  rename_path(fresh, snapshot);
}

}  // namespace

fs::path aside_data(const Layout& layout, const Deployment& deployment) {
  return layout.all_data() / fmt::format(".restore.{}.{}", deployment.app_id, deployment.number);
}

std::string identity_of(const fs::path& directory) {
  struct stat status = {};
  if (lstat(directory.c_str(), &status) != 0) throw_errno("looking at " + directory.string());
  return fmt::format("{}:{}", status.st_dev, status.st_ino);
}

void write_mark(const Layout& layout, const Deployment& deployment, const AsideMark& mark) {
  auto text = mark.changed + "\n";
  if (mark.databases) text += fmt::format("{}\n", kDatabases);
  if (mark.keep) text += fmt::format("{}{}\n", kKeep, *mark.keep);
  write_file(mark_file(aside_data(layout, deployment)), text);
}

void put_databases_aside(const Platform& platform, const std::vector<AppDatabase>& databases,
                         const Deployment& deployment, Journal& journal) {
  const auto directory = aside_databases(aside_data(platform.layout, deployment));
  make_directory(directory);
  for (const auto& database : databases) {
    if (!database.is_kept) continue;
    if (database.is_shared) {
      journal.line(fmt::format("database {} of service {} stays as it is: other apps work on it as well",
                               database.attachment.database, database.service.name.str()));
      continue;
    }
    journal.now_doing("dumping " + database.service.name.str());
    dump_database(platform, database.service, database.attachment.database,
                  directory / fmt::format("{}{}", database.service.id, kDump));
  }
}

void undo_aside(const Platform& platform, const App& app, const Deployment& deployment) {
  const auto& layout = platform.layout;
  const auto aside = aside_data(layout, deployment);
  if (const auto mark = read_mark(aside)) {
    if (mark->databases) {
      for (const auto& [service, dump] : dumps_in(aside_databases(aside))) {
        load_database(platform, app, service, dump);
      }
    }
    const auto data = layout.data(app.name);
    if (is_directory(aside) && is_directory(data) && identity_of(data) == mark->changed) exchange_paths(aside, data);
  }
  remove_aside(layout, aside);
}

void end_aside(const Layout& layout, const Deployment& deployment) {
  const auto aside = aside_data(layout, deployment);
  const auto mark = read_mark(aside);
  if (!mark) return;
  if (mark->keep) keep_snapshot(layout, deployment, *mark->keep);
  remove_aside(layout, aside);
}

bool is_aside(const Layout& layout, AppId app) {
  const auto names = list_directory(layout.all_data());
  return std::ranges::any_of(names, [&](const std::string& name) {
    return name.starts_with(fmt::format(".restore.{}.", app)) && name.ends_with(".mark");
  });
}

fs::path snapshots_directory(const Layout& layout, AppId app) {
  return layout.all_data() / ".snapshots" / std::to_string(app);
}
fs::path snapshot_directory(const Layout& layout, AppId app, ReleaseNumber release) {
  return snapshots_directory(layout, app) / std::to_string(release);
}
fs::path snapshot_data(const fs::path& snapshot) { return snapshot / "data"; }
fs::path snapshot_databases(const fs::path& snapshot) { return snapshot / kDatabases; }

std::vector<ReleaseNumber> snapshots_of(const Layout& layout, AppId app) {
  std::vector<ReleaseNumber> releases;
  for (const auto& name : list_directory(snapshots_directory(layout, app))) {
    if (const auto number = number_of(name)) releases.push_back(*number);
  }
  std::ranges::sort(releases);
  return releases;
}

std::map<ServiceId, fs::path> dumps_in(const fs::path& directory) {
  std::map<ServiceId, fs::path> dumps;
  for (const auto& name : list_directory(directory)) {
    const auto service = parse_unsigned(fs::path(name).stem().native());
    if (service && name.ends_with(kDump)) dumps.emplace(static_cast<ServiceId>(*service), directory / name);
  }
  return dumps;
}

}  // namespace pushrod
