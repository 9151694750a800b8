// Watches (model/watch.hh): begun by the commit of a deployment, ended by the time, the next deployment or a fallback.
#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "base/error.hh"
#include "store/database.hh"

namespace pushrod {

namespace {

Watch read_watch(Query& row) {
  return Watch{.app_id = row.integer(),
               .app = row.name<AppName>(),
               .group = row.integer(),
               .release = row.number<ReleaseNumber>(),
               .previous = row.number<ReleaseNumber>(),
               .failure = row.text()};
}

constexpr std::string_view kStandbyToDraining =
    "UPDATE instances SET state = 'draining', since = ?1 WHERE state = 'standby'"
    " AND app_id IN (SELECT app_id FROM watches WHERE group_id = ?2)";

}  // namespace

bool may_be_watched(Connection& connection, const std::vector<Deployment>& deployments,
                    const std::map<AppId, Release>& releases) {
  const auto wants = [](const Process& process) {
    return process.count > 0 && process.health.watch.value_or(Milliseconds{0}) > Milliseconds{0};
  };
  const bool any = std::any_of(releases.begin(), releases.end(), [&](const auto& release) {
    return std::any_of(release.second.processes.begin(), release.second.processes.end(), wants);
  });
  return any && std::all_of(deployments.begin(), deployments.end(), [&](const Deployment& deployment) {
           Query row = connection.query("SELECT 1 FROM apps WHERE id = ? AND live IS NOT NULL AND NOT stopped");
           return rules_of(deployment.kind).watch == WatchRule::Begins &&
                  row.with(deployment.app_id).only_integer().has_value();
         });
}

void begin_watch(Connection& connection, const Deployment& deployment, const Release& made, WallTime at) {
  connection
      .query(
          "INSERT INTO watches SELECT id, ?2, ?3, live, '' FROM apps WHERE id = ?1"
          " ON CONFLICT (app_id) DO UPDATE SET group_id = excluded.group_id, release = excluded.release,"
          " previous = excluded.previous, failure = ''")
      .with(deployment.app_id, deployment.group, deployment.number)
      .run();
  connection
      .query(
          "UPDATE instances SET state = 'standby', since = ?1 WHERE app_id = ?2 AND state = 'serving'"
          " AND port IS NOT NULL AND release IS NOT ?3 AND (kept_by IS NULL OR kept_by IS NOT ?3)")
      .with(at, deployment.app_id, deployment.number)
      .run();
  // What must not run twice has been stopped before its successor began.
  for (const Process& process : made.processes) {
    if (process.overlap) continue;
    connection.query("UPDATE instances SET state = 'draining' WHERE app_id = ? AND state = 'standby' AND type = ?")
        .with(deployment.app_id, process.type)
        .run();
  }
}

void take_back_standby(Connection& connection, const Deployment& deployment, WallTime at) {
  connection
      .query(
          "UPDATE instances SET state = CASE WHEN kept_by IS ?3 THEN 'serving' ELSE 'draining' END, since = ?1"
          " WHERE app_id = ?2 AND state = 'standby'")
      .with(at, deployment.app_id, deployment.number)
      .run();
  connection.query("DELETE FROM watches WHERE app_id = ?").with(deployment.app_id).run();
}

std::vector<Watch> Store::watches() const {
  Query rows = db_->query(
      "SELECT w.app_id, a.name, w.group_id, w.release, w.previous, w.failure FROM watches w JOIN apps a"
      " ON a.id = w.app_id ORDER BY w.group_id, a.name");
  return read_all(rows, read_watch);
}

std::optional<Watch> Store::watch(AppId app) const {
  Query row = db_->query(
      "SELECT w.app_id, a.name, w.group_id, w.release, w.previous, w.failure FROM watches w JOIN apps a"
      " ON a.id = w.app_id WHERE w.app_id = ?");
  return read_first(row.with(app), read_watch);
}

void Store::fail_watch(std::int64_t group, const std::string& failure) {
  if (failure.empty()) throw Error("a watch failed without a reason");
  Transaction transaction(*db_);
  db_->query("UPDATE watches SET failure = ? WHERE group_id = ? AND failure = ''").with(failure, group).run();
  transaction.commit();
}

void Store::release_standby(std::int64_t group) {
  Transaction transaction(*db_);
  db_->query(kStandbyToDraining).with(now(), group).run();
  transaction.commit();
}

void Store::end_watch(std::int64_t group) {
  Transaction transaction(*db_);
  db_->query(kStandbyToDraining).with(now(), group).run();
  db_->query("DELETE FROM watches WHERE group_id = ?").with(group).run();
  transaction.commit();
}

}  // namespace pushrod
