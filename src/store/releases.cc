// Releases: what a deployment built, with the environment that the builder adds.
// Their process table is stored as JSON (model/process.hh), their environment in rows, since values are bytes.
#include <fmt/format.h>

#include <map>
#include <set>

#include "base/error.hh"
#include "store/database.hh"

namespace pushrod {

namespace {

constexpr std::string_view kReleases =
    "SELECT r.app_id, a.name, r.number, r.commit_id, r.checkout, r.builder, r.processes, r.crons, r.created,"
    " r.repo, r.branch, r.path, r.config, r.build_root, r.manifest_root, r.writable,"
    " r.mounts, r.host_mounts"
    " FROM releases r JOIN apps a ON a.id = r.app_id"
    " WHERE r.app_id = ?1 AND (?2 IS NULL OR r.number = ?2) ORDER BY r.number DESC";
constexpr std::string_view kSettings =
    "SELECT number, name, sealed, secret, service_id, scope FROM release_settings WHERE app_id = ?1 AND (?2 IS NULL OR "
    "number "
    "= ?2)";
constexpr std::string_view kEnvironment =
    "SELECT number, name, value FROM release_environment WHERE app_id = ?1 AND (?2 IS NULL OR number = ?2)";

Source read_source(Query& row) {
  return {.repo = row.name<RepoName>(),
          .branch = row.name<BranchName>(),
          .path = row.text(),
          .config = row.text(),
          .build_root = row.optional([](Query& column) { return column.text(); }),
          .manifest_root = row.boolean()};
}

Release read_release(Query& row) {
  return Release{.app_id = row.integer(),
                 .app = row.name<AppName>(),
                 .number = row.number<ReleaseNumber>(),
                 .commit = row.name<CommitId>(),
                 .checkout = row.number<ReleaseNumber>(),
                 .builder = row.text(),
                 .processes = processes_from_json(row.text()),
                 .environment = {},
                 .settings = {},
                 .crons = crons_from_json(row.text()),
                 .created = row.time(),
                 .source = read_source(row),
                 .writable = writable_from_json(row.text()),
                 .mounts = mounts_from_json(row.text()),
                 .host_mounts = host_mounts_from_json(row.text())};
}

std::vector<Release> read_releases(Connection& connection, AppId app, std::optional<ReleaseNumber> number) {
  const Transaction one_state(connection, Transaction::Kind::Read);
  std::map<ReleaseNumber, std::map<std::string, std::string>> environments;
  Query variable = connection.query(kEnvironment);
  variable.with(app, number);
  while (variable.next()) {
    std::map<std::string, std::string>& of_release = environments[variable.number<ReleaseNumber>()];
    std::string name = variable.text();
    of_release.emplace(std::move(name), variable.text());
  }
  std::map<ReleaseNumber, AppSettings> settings;
  Query setting = connection.query(kSettings);
  setting.with(app, number);
  while (setting.next()) {
    AppSettings& of_release = settings[setting.number<ReleaseNumber>()];
    auto name = setting.name<SettingName>();
    of_release.emplace(std::move(name), read_setting(setting));
  }
  Query rows = connection.query(kReleases);
  std::vector<Release> releases = read_all(rows.with(app, number), read_release);
  for (Release& release : releases) {
    release.environment = std::move(environments[release.number]);
    release.settings = std::move(settings[release.number]);
  }
  return releases;
}

void delete_release(Connection& connection, AppId app, ReleaseNumber number) {
  const auto refuse_if = [&](std::string_view sql, std::string_view reason) {
    if (connection.query(sql).with(app, number).only_integer()) {
      throw Error(fmt::format("release {} cannot be removed: {}", number, reason));
    }
  };
  refuse_if("SELECT 1 FROM apps WHERE id = ? AND live = ?", "it is the live one");
  refuse_if("SELECT 1 FROM instances WHERE app_id = ? AND release = ? LIMIT 1", "it still has instances");
  connection.query("DELETE FROM releases WHERE app_id = ? AND number = ?").with(app, number).run();
}

}  // namespace

void Store::add_release(const Release& release) {
  Transaction transaction(*db_);
  if (!deployment(release.app_id, release.number)) {
    throw Error(
        fmt::format("there is no deployment {} of {} that could have a release", release.number, release.app.str()));
  }
  delete_release(*db_, release.app_id, release.number);
  db_->query(
         "INSERT INTO releases (app_id, number, commit_id, checkout, builder, processes, crons,"
         " created, repo, branch, path, config, build_root, manifest_root, writable, mounts,"
         " host_mounts)"
         " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")
      .with(release.app_id, release.number, release.commit, release.checkout, release.builder,
            to_json(release.processes), to_json(release.crons), release.created, release.source.repo,
            release.source.branch, release.source.path, release.source.config, release.source.build_root,
            std::int64_t{release.source.manifest_root}, to_json(release.writable), to_json(release.mounts),
            to_json(release.host_mounts))
      .run();
  for (const auto& [name, value] : release.environment) {
    db_->query("INSERT INTO release_environment VALUES (?, ?, ?, ?)")
        .with(release.app_id, release.number, name, value)
        .run();
  }
  for (const auto& [name, setting] : release.settings) {
    db_->query("INSERT INTO release_settings VALUES (?, ?, ?, ?, ?, ?, ?)")
        .with(release.app_id, release.number, name, Blob{setting.sealed}, std::int64_t{setting.secret}, setting.service,
              to_string(setting.scope))
        .run();
  }
  transaction.commit();
}

std::optional<Release> Store::release(AppId app, ReleaseNumber number) const {
  std::vector<Release> found = read_releases(*db_, app, number);
  if (found.empty()) return std::nullopt;
  return std::move(found.front());
}

std::vector<Release> Store::releases(AppId app) const { return read_releases(*db_, app, std::nullopt); }

std::set<std::string> Store::mounted_layers() const {
  std::set<std::string> layers;
  Query rows = db_->query("SELECT DISTINCT mounts FROM releases");
  while (rows.next()) {
    for (const auto& mount : mounts_from_json(rows.text())) {
      if (!mount.layer.empty()) layers.insert(mount.layer);
    }
  }
  return layers;
}

void Store::remove_release(AppId app, ReleaseNumber number) {
  Transaction transaction(*db_);
  delete_release(*db_, app, number);
  transaction.commit();
}

}  // namespace pushrod
