// Repos and apps.
// A repo's row lives as long as an app uses it.
#include <fmt/format.h>

#include "base/error.hh"
#include "store/database.hh"

namespace pushrod {

namespace {

std::string select_apps(std::string_view condition) {
  return fmt::format("SELECT {} FROM apps a JOIN repos r ON r.id = a.repo_id {} ORDER BY a.name", kAppColumns,
                     condition);
}

std::vector<App> read_apps(Query& rows) { return read_all(rows, read_app); }

}  // namespace

App read_app(Query& row) {
  return App{.id = row.integer(),
             .name = row.name<AppName>(),
             .repo = row.name<RepoName>(),
             .branch = row.name<BranchName>(),
             .path = row.text(),
             .live = row.optional([](Query& column) { return column.number<ReleaseNumber>(); }),
             .created = row.time(),
             .stopped = row.boolean(),
             .maintenance = maintenance_from(row.text()),
             .config = row.text(),
             .build_root = row.optional([](Query& column) { return column.text(); })};
}

App Store::add_app(const AppName& name, const Source& source) {
  Transaction transaction(*db_);
  if (app(name)) {
    throw UserError(fmt::format("there is an app called {} already", name.str()),
                    fmt::format("choose another name, or look at it: pushrod app info {}", name.str()));
  }
  db_->query("INSERT OR IGNORE INTO repos (name) VALUES (?)").with(source.repo).run();
  // Instances of an app that had this name and has another one now may still end: theirs must not be used again.
  db_->query(
         "INSERT INTO apps (name, repo_id, branch, path, config, build_root, created, last_number)"
         " VALUES (?1, (SELECT id FROM repos WHERE name = ?2), ?3, ?4, ?5, ?6, ?7,"
         " (SELECT coalesce(max(release), 0) FROM instances WHERE app = ?1))")
      .with(name, source.repo, source.branch, source.path, source.config, source.build_root, now())
      .run();
  App added = app(name).value();
  transaction.commit();
  return added;
}

void Store::remove_app(AppId id) {
  Transaction transaction(*db_);
  // A repo that another app has moved away from stays.
  const auto repo = db_->query("SELECT repo_id FROM apps WHERE id = ?").with(id).only_integer();
  db_->query("DELETE FROM apps WHERE id = ?").with(id).run();
  db_->query("DELETE FROM repos WHERE id = ?1 AND NOT EXISTS (SELECT 1 FROM apps WHERE repo_id = ?1)").with(repo).run();
  transaction.commit();
}

void write_source(Connection& connection, AppId app, const Source& source) {
  connection.query("INSERT OR IGNORE INTO repos (name) VALUES (?)").with(source.repo).run();
  connection
      .query(
          "UPDATE apps SET repo_id = (SELECT id FROM repos WHERE name = ?), branch = ?, path = ?, config = ?,"
          " build_root = ? WHERE id = ?")
      .with(source.repo, source.branch, source.path, source.config,
            source.manifest_root ? std::nullopt : source.build_root, app)
      .run();
}

void Store::set_source(AppId app, const Source& source) {
  Transaction transaction(*db_);
  write_source(*db_, app, source);
  transaction.commit();
}

std::vector<App> Store::apps() const {
  static const std::string kSql = select_apps("");
  Query rows = db_->query(kSql);
  return read_apps(rows);
}

std::vector<App> Store::apps_of(const RepoName& repo) const {
  static const std::string kSql = select_apps("WHERE r.name = ?");
  Query rows = db_->query(kSql);
  return read_apps(rows.with(repo));
}

std::vector<App> Store::apps_of(const RepoName& repo, const BranchName& branch) const {
  static const std::string kSql = select_apps("WHERE r.name = ? AND a.branch = ?");
  Query rows = db_->query(kSql);
  return read_apps(rows.with(repo, branch));
}

std::optional<App> Store::app(const AppName& name) const {
  static const std::string kSql = select_apps("WHERE a.name = ?");
  Query rows = db_->query(kSql);
  return read_first(rows.with(name), read_app);
}

std::optional<App> Store::app(AppId id) const {
  static const std::string kSql = select_apps("WHERE a.id = ?");
  Query rows = db_->query(kSql);
  return read_first(rows.with(id), read_app);
}

std::vector<AppSummary> Store::app_summaries() const {
  static const std::string kSql = fmt::format(
      "SELECT {}, (SELECT count(*) FROM instances i WHERE i.app_id = a.id AND i.state IN ('serving', 'asleep')),"
      " d.number, g.state, d.kind, g.started, g.ended"
      " FROM apps a JOIN repos r ON r.id = a.repo_id"
      " LEFT JOIN deployments d ON d.app_id = a.id AND d.number = a.last_number"
      " LEFT JOIN deployment_groups g ON g.id = d.group_id ORDER BY a.name",
      kAppColumns);
  Query rows = db_->query(kSql);
  return read_all(rows, [](Query& row) {
    AppSummary summary{.app = read_app(row), .last = {}, .instances_wanted = row.number<unsigned>()};
    const auto number = row.optional([](Query& column) { return column.number<ReleaseNumber>(); });
    if (number) {
      summary.last = AppSummary::Last{.number = *number,
                                      .state = deployment_state_from(row.text()),
                                      .kind = deployment_kind_from(row.text()),
                                      .started = row.time(),
                                      .ended = row.optional([](Query& column) { return column.time(); })};
    }
    return summary;
  });
}

std::map<ProcessType, std::uint32_t> Store::counts(AppId app) const {
  Query rows = db_->query("SELECT type, count FROM app_counts WHERE app_id = ?");
  rows.with(app);
  std::map<ProcessType, std::uint32_t> counts;
  while (rows.next()) {
    auto type = rows.name<ProcessType>();
    counts.emplace(std::move(type), rows.number<std::uint32_t>());
  }
  return counts;
}

void Store::set_counts(AppId app, const std::map<ProcessType, std::uint32_t>& counts) {
  Transaction transaction(*db_);
  for (const auto& [type, count] : counts) {
    db_->query("INSERT OR REPLACE INTO app_counts VALUES (?, ?, ?)").with(app, type, count).run();
  }
  transaction.commit();
}

void Store::set_stopped(AppId app, bool stopped) {
  Transaction transaction(*db_);
  db_->query("UPDATE apps SET stopped = ? WHERE id = ?").with(std::int64_t{stopped}, app).run();
  transaction.commit();
}

void Store::set_maintenance(AppId app, Maintenance maintenance, const std::string& page) {
  Transaction transaction(*db_);
  db_->query("UPDATE apps SET maintenance = ?, maintenance_page = ? WHERE id = ?")
      .with(to_string(maintenance), page, app)
      .run();
  transaction.commit();
}

std::string Store::maintenance_page(AppId app) const {
  Query row = db_->query("SELECT maintenance_page FROM apps WHERE id = ?");
  return row.with(app).next() ? row.text() : std::string{};
}

std::vector<RepoName> Store::repos() const {
  Query rows = db_->query("SELECT name FROM repos ORDER BY name");
  return read_all(rows, [](Query& row) { return row.name<RepoName>(); });
}

}  // namespace pushrod
