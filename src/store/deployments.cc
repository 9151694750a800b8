// Deployments: beginning them, moving them through their states, their steps; and reading them back.
// The state table is model/deployment.hh's; what belongs to all deployments of a group is written once, in its
// row of deployment_groups.
#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "base/error.hh"
#include "base/text.hh"
#include "store/database.hh"

namespace pushrod {

namespace {

Deployment read_deployment(Query& row) {
  const auto commit = [](Query& column) { return column.name<CommitId>(); };
  return Deployment{.app_id = row.integer(),
                    .app = row.name<AppName>(),
                    .number = row.number<ReleaseNumber>(),
                    .group = row.integer(),
                    .kind = deployment_kind_from(row.text()),
                    .state = deployment_state_from(row.text()),
                    .commit = row.optional(commit),
                    .previous = row.optional(commit),
                    .detail = row.text(),
                    .holds = row.boolean(),
                    .author = row.text(),
                    .started = row.time(),
                    .ended = row.optional([](Query& column) { return column.time(); }),
                    .error = row.text(),
                    .hint = row.text(),
                    .steps = {}};
}

// The same choice of deployments, once for their rows and once for their steps.
struct Selection {
  std::string rows;
  std::string steps;

  Selection(std::string_view condition, std::string_view order, std::string_view limit = {})
      : rows(fmt::format("SELECT d.app_id, a.name, d.number, d.group_id, d.kind, g.state, d.commit_id, d.previous, "
                         "d.detail, d.holds,"
                         " d.author, g.started, g.ended, d.error, d.hint"
                         " FROM deployments d JOIN deployment_groups g ON g.id = d.group_id"
                         " JOIN apps a ON a.id = d.app_id WHERE {} ORDER BY {} {}",
                         condition, order, limit)),
        steps(fmt::format("SELECT group_id, step, started, ended FROM steps WHERE group_id IN"
                          " (SELECT d.group_id FROM deployments d JOIN deployment_groups g ON g.id = d.group_id"
                          " JOIN apps a ON a.id = d.app_id WHERE {} ORDER BY {} {}) ORDER BY id",
                          condition, order, limit)) {}
};

template <class... Values>
std::vector<Deployment> read_deployments(Connection& connection, const Selection& selection, const Values&... values) {
  const Transaction one_state(connection, Transaction::Kind::Read);
  std::map<std::int64_t, std::vector<StepRecord>> steps;
  Query step = connection.query(selection.steps);
  step.with(values...);
  while (step.next()) {
    std::vector<StepRecord>& of_group = steps[step.integer()];
    of_group.push_back({.step = step_from(step.text()),
                        .started = step.time(),
                        .ended = step.optional([](Query& column) { return column.time(); })});
  }
  Query rows = connection.query(selection.rows);
  std::vector<Deployment> deployments = read_all(rows.with(values...), read_deployment);
  for (Deployment& deployment : deployments) deployment.steps = steps[deployment.group];
  return deployments;
}

void end_running_step(Connection& connection, std::int64_t group, WallTime at) {
  connection.query("UPDATE steps SET ended = ? WHERE group_id = ? AND ended IS NULL").with(at, group).run();
}

void write_reason(Connection& connection, std::int64_t group, const std::string& error, const std::string& hint) {
  connection.query("UPDATE deployments SET error = ?, hint = ? WHERE group_id = ?").with(error, hint, group).run();
}

// "'push', 'remove'": the kinds that a newer deployment may supersede while they wait.
std::string superseded_kinds() {
  std::vector<std::string> words;
  for (const DeploymentRules& rules : kDeploymentRules) {
    if (rules.waiting != WhileWaiting::Stays) words.push_back(fmt::format("'{}'", rules.word));
  }
  return join(words, ", ");
}

std::vector<std::int64_t> groups_to_supersede(Connection& connection, AppId app) {
  static const std::string kSql = fmt::format(
      "SELECT g.id FROM deployments d JOIN deployment_groups g ON g.id = d.group_id"
      " WHERE d.app_id = ? AND g.state = 'waiting' AND d.kind IN ({})",
      superseded_kinds());
  Query rows = connection.query(kSql);
  rows.with(app);
  return read_all(rows, [](Query& row) { return row.integer(); });
}

// The older group's deployments name the newer one of their own app, or else of an app that both groups have.
void supersede(Connection& connection, std::int64_t older, std::int64_t newer, WallTime at) {
  write_state(connection, older, DeploymentState::Superseded, at);
  connection
      .query(
          "UPDATE deployments SET error = 'superseded by deployment ' || coalesce("
          " (SELECT n.number FROM deployments n WHERE n.group_id = ?2 AND n.app_id = deployments.app_id),"
          " (SELECT n.number || ' of ' || a.name FROM deployments n JOIN apps a ON a.id = n.app_id"
          "  WHERE n.group_id = ?2 AND n.app_id IN (SELECT o.app_id FROM deployments o WHERE o.group_id = ?1)"
          "  ORDER BY a.name LIMIT 1)),"
          " hint = 'the newer one goes on; ask for this one again if it is wanted after all'"
          " WHERE group_id = ?1")
      .with(older, newer)
      .run();
}

void insert_deployment(Connection& connection, const DeploymentRequest& request, std::int64_t group) {
  // The names of its instances must be new: others that had this app's next name may still end.
  if (rules_of(request.kind).intent == Intent::Name) {
    const auto new_name = request.detail.substr(request.detail.rfind(' ') + 1);  // see Renaming
    connection
        .query(
            "UPDATE apps SET last_number = max(last_number, (SELECT coalesce(max(release), 0) FROM instances"
            " WHERE app = ?1)) WHERE id = ?2")
        .with(new_name, request.app_id)
        .run();
  }
  const auto number =
      connection.query("UPDATE apps SET last_number = last_number + 1 WHERE id = ? RETURNING last_number")
          .with(request.app_id)
          .only_integer();
  if (!number) throw UserError("the app does not exist any more", "pushrod app list shows those that do");
  connection
      .query(
          "INSERT INTO deployments (app_id, number, group_id, kind, commit_id, previous, detail, author)"
          " VALUES (?, ?, ?, ?, ?, ?, ?, ?)")
      .with(request.app_id, *number, group, to_string(request.kind), request.commit, request.previous, request.detail,
            request.author)
      .run();
}

// Who asks for something that a superseded deployment cannot do any more gets the reason, which is not a failure of
// ours.
void check_transition(Connection& connection, std::int64_t group, DeploymentState from, DeploymentState to) {
  if (may_follow(from, to)) return;
  if (from == DeploymentState::Superseded) {
    Query reason = connection.query("SELECT error, hint FROM deployments WHERE group_id = ? LIMIT 1");
    if (reason.with(group).next()) {
      const std::string error = reason.text();
      throw UserError(error, reason.text());
    }
  }
  throw Error(fmt::format("deployment group {} is {} and cannot become {}", group, to_string(from), to_string(to)));
}

bool makes_release(Connection& connection, const Deployment& deployment) {
  const auto from = rules_of(deployment.kind).release;
  if (from != ReleaseFrom::LiveIfAny) return from != ReleaseFrom::Nothing;
  Query row = connection.query("SELECT 1 FROM apps WHERE id = ? AND live IS NOT NULL");
  return row.with(deployment.app_id).only_integer().has_value();
}

}  // namespace

DeploymentState state_of_group(Connection& connection, std::int64_t group) {
  Query row = connection.query("SELECT state FROM deployment_groups WHERE id = ?");
  if (!row.with(group).next()) throw Error(fmt::format("there is no deployment group {}", group));
  return deployment_state_from(row.text());
}

void write_state(Connection& connection, std::int64_t group, DeploymentState state, WallTime at) {
  const bool final = is_final(state);
  connection.query("UPDATE deployment_groups SET state = ?, ended = ? WHERE id = ?")
      .with(to_string(state), final ? std::optional(at) : std::nullopt, group)
      .run();
  if (final) end_running_step(connection, group, at);
}

void write_step(Connection& connection, std::int64_t group, Step step, WallTime at) {
  connection.query("UPDATE steps SET ended = ? WHERE group_id = ? AND ended IS NULL AND step <> ?")
      .with(at, group, to_string(step))
      .run();
  connection
      .query(
          "INSERT INTO steps (group_id, step, started) VALUES (?, ?, ?)"
          " ON CONFLICT (group_id, step) DO UPDATE SET ended = NULL")
      .with(group, to_string(step), at)
      .run();
}

std::vector<Deployment> Store::begin_deployments(const std::vector<DeploymentRequest>& requests) {
  if (requests.empty()) throw Error("a deployment of no app was asked for");
  Transaction transaction(*db_);
  const WallTime at = now();
  std::vector<std::int64_t> older;
  for (const DeploymentRequest& request : requests) {
    if (rules_of(request.kind).waiting != WhileWaiting::Supersedes) continue;
    for (const std::int64_t waiting : groups_to_supersede(*db_, request.app_id)) {
      if (std::find(older.begin(), older.end(), waiting) == older.end()) older.push_back(waiting);
    }
  }
  const std::int64_t newer =
      db_->query("INSERT INTO deployment_groups (state, started) VALUES ('waiting', ?) RETURNING id")
          .with(at)
          .only_integer()
          .value();
  for (const DeploymentRequest& request : requests) insert_deployment(*db_, request, newer);
  for (const std::int64_t waiting : older) supersede(*db_, waiting, newer, at);

  std::vector<Deployment> begun = group(newer);
  const auto place = [&](const Deployment& deployment) {
    return std::find_if(requests.begin(), requests.end(),
                        [&](const DeploymentRequest& request) { return request.app_id == deployment.app_id; });
  };
  std::sort(begun.begin(), begun.end(), [&](const auto& a, const auto& b) { return place(a) < place(b); });
  transaction.commit();
  return begun;
}

void Store::advance(std::int64_t group, DeploymentState to, std::optional<Step> begins) {
  if (to == DeploymentState::Committed) throw Error("a deployment is committed together with its releases, not alone");
  Transaction transaction(*db_);
  const DeploymentState from = state_of_group(*db_, group);
  const WallTime at = now();
  if (from != to) {
    check_transition(*db_, group, from, to);
    write_state(*db_, group, to, at);
  }
  if (begins && !is_final(to)) write_step(*db_, group, *begins, at);
  transaction.commit();
}

void Store::fail(std::int64_t group, const Failure& failure) {
  if (!is_final(failure.state) || failure.state == DeploymentState::Live) {
    throw Error(fmt::format("{} is not how a deployment fails", to_string(failure.state)));
  }
  Transaction transaction(*db_);
  const DeploymentState from = state_of_group(*db_, group);
  if (from == failure.state) return;
  check_transition(*db_, group, from, failure.state);
  write_state(*db_, group, failure.state, now());
  write_reason(*db_, group, failure.error, failure.hint);
  transaction.commit();
}

void Store::commit_group(std::int64_t group, std::optional<Step> begins) {
  Transaction transaction(*db_);
  const DeploymentState from = state_of_group(*db_, group);
  if (from == DeploymentState::Committed || from == DeploymentState::Live) return;
  check_transition(*db_, group, from, DeploymentState::Committed);
  const WallTime at = now();
  write_state(*db_, group, DeploymentState::Committed, at);
  if (begins) write_step(*db_, group, *begins, at);
  const std::vector<Deployment> deployments = this->group(group);
  // The foreign key of apps.live refuses the whole transaction when a release is missing; this says which.
  std::map<AppId, Release> releases;
  for (const Deployment& deployment : deployments) {
    if (!makes_release(*db_, deployment)) continue;
    auto made = release(deployment.app_id, deployment.number);
    if (!made) {
      throw Error(fmt::format("deployment {} of {} has no release to commit", deployment.number, deployment.app.str()));
    }
    releases.emplace(deployment.app_id, *std::move(made));
  }
  const bool is_watched = may_be_watched(*db_, deployments, releases);
  for (const Deployment& deployment : deployments) {
    const bool removes = rules_of(deployment.kind).release == ReleaseFrom::Nothing;
    const auto made = releases.find(deployment.app_id);
    write_intent(*db_, deployment, made == releases.end() ? nullptr : &made->second);
    if (!removes && made == releases.end()) continue;  // the rename of an app that is not deployed
    if (is_watched) begin_watch(*db_, deployment, made->second, at);
    if (rules_of(deployment.kind).watch == WatchRule::FallsBack) take_back_standby(*db_, deployment, at);
    std::optional<ReleaseNumber> live;
    if (!removes) live = deployment.number;
    db_->query("UPDATE apps SET live = ? WHERE id = ?").with(live, deployment.app_id).run();
    db_->query(
           "UPDATE instances SET state = 'draining', since = ?1 WHERE app_id = ?2 AND state = 'serving'"
           " AND release IS NOT ?3 AND (kept_by IS NULL OR kept_by IS NOT ?3)")
        .with(at, deployment.app_id, live)
        .run();
    // Nothing of it runs, so there is nothing to wait for.
    db_->query(
           "DELETE FROM instances WHERE app_id = ?1 AND state = 'asleep' AND (kept_by IS NULL OR kept_by IS NOT ?2)")
        .with(deployment.app_id, live)
        .run();
    db_->query(
           "UPDATE instances SET state = 'serving', since = ? WHERE app_id = ? AND state = 'starting'"
           " AND release = ?")
        .with(at, deployment.app_id, live)
        .run();
  }
  transaction.commit();
}

void Store::begin_step(std::int64_t group, Step step) {
  Transaction transaction(*db_);
  if (is_final(state_of_group(*db_, group))) return;
  write_step(*db_, group, step, now());
  transaction.commit();
}

void Store::set_commit(AppId app, ReleaseNumber deployment, const CommitId& commit) {
  Transaction transaction(*db_);
  db_->query("UPDATE deployments SET commit_id = ? WHERE app_id = ? AND number = ?")
      .with(commit, app, deployment)
      .run();
  transaction.commit();
}

void Store::set_holding(std::int64_t group, bool holds) {
  Transaction transaction(*db_);
  db_->query("UPDATE deployments SET holds = ? WHERE group_id = ?").with(std::int64_t{holds}, group).run();
  transaction.commit();
}

std::vector<Deployment> Store::group(std::int64_t group) const {
  static const Selection kSelection("d.group_id = ?", "a.name");
  return read_deployments(*db_, kSelection, group);
}

std::vector<Deployment> Store::unfinished_deployments() const {
  // Asked all the time, and a few of thousands: the partial index holds just these.
  static const Selection kSelection(
      "d.group_id IN (SELECT id FROM deployment_groups INDEXED BY deployment_groups_unfinished"
      " WHERE state IN ('waiting', 'running', 'ready', 'committed'))",
      "d.group_id, a.name");
  return read_deployments(*db_, kSelection);
}

std::vector<Deployment> Store::deployments(AppId app, unsigned most) const {
  static const Selection kSelection("d.app_id = ?", "d.number DESC", "LIMIT ?");
  return read_deployments(*db_, kSelection, app, most);
}

std::optional<Deployment> Store::deployment(AppId app, ReleaseNumber number) const {
  static const Selection kSelection("d.app_id = ? AND d.number = ?", "d.number");
  std::vector<Deployment> found = read_deployments(*db_, kSelection, app, number);
  if (found.empty()) return std::nullopt;
  return std::move(found.front());
}

std::vector<ReleaseNumber> Store::prune_deployments(AppId app, unsigned keep) {
  Transaction transaction(*db_);
  Query remove = db_->query(
      "DELETE FROM deployments WHERE app_id = ?1 AND number <="
      " (SELECT number FROM deployments WHERE app_id = ?1 ORDER BY number DESC LIMIT 1 OFFSET ?2)"
      " AND NOT EXISTS (SELECT 1 FROM releases r WHERE r.app_id = ?1 AND r.number = deployments.number)"
      " AND NOT EXISTS (SELECT 1 FROM deployment_groups g WHERE g.id = deployments.group_id AND g.ended IS NULL)"
      " RETURNING number");
  std::vector<ReleaseNumber> removed =
      read_all(remove.with(app, keep), [](Query& row) { return row.number<ReleaseNumber>(); });
  std::sort(removed.begin(), removed.end());
  transaction.commit();
  return removed;
}

}  // namespace pushrod
