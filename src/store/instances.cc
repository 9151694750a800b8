// Instances and the ports that they lease.
// A port is leased for as long as an instance's row has it; the column is UNIQUE.
#include <fmt/format.h>

#include <set>

#include "base/error.hh"
#include "base/text.hh"
#include "store/database.hh"

namespace pushrod {

namespace {

std::string select_instances(std::string_view condition) {
  return fmt::format(
      "SELECT i.app, i.release, i.type, i.number, i.port, i.state, i.since, i.app_id, p.listed, p.port"
      " FROM instances i LEFT JOIN instance_ports p USING (app_id, release, type, number) {}"
      " ORDER BY i.app, i.release, i.type, i.number, p.listed",
      condition);
}

Instance read_instance(Query& row) {
  return Instance{.name = InstanceName{.app = row.name<AppName>(),
                                       .release = row.number<ReleaseNumber>(),
                                       .type = row.name<ProcessType>(),
                                       .number = row.number<std::uint32_t>()},
                  .port = row.optional([](Query& column) { return column.number<Port>(); }),
                  .state = instance_state_from(row.text()),
                  .since = row.time(),
                  .ports = {},
                  .app_id = row.integer()};
}

// A row per further port, or one where there is none.
std::vector<Instance> read_instances(Query& rows) {
  std::vector<Instance> instances;
  while (rows.next()) {
    Instance read = read_instance(rows);
    if (instances.empty() || instances.back().name != read.name) instances.push_back(std::move(read));
    const auto listed = rows.optional([](Query& column) { return column.number<Port>(); });
    if (listed) instances.back().ports.emplace(*listed, rows.number<Port>());
  }
  return instances;
}

// The next free ports of a range, beginning after the one that was leased last: a port that was given back rests as
// long as possible, since its old connections may still linger in the kernel.
class PortSearch {
 public:
  PortSearch(Connection& connection, Port first, Port last, bool (*is_free)(Port))
      : connection_(connection), first_(first), last_(last), is_free_(is_free) {
    Query rows = connection.query(
        "SELECT port FROM instances WHERE port IS NOT NULL UNION ALL SELECT port FROM instance_ports"
        " UNION ALL SELECT port FROM service_attachments WHERE port IS NOT NULL");
    while (rows.next()) leased_.insert(rows.number<Port>());
    const std::int64_t cursor = connection.integer_of("SELECT last_port FROM port_cursor");
    next_ = cursor >= first && cursor < last ? static_cast<Port>(cursor + 1) : first;
    left_ = last < first ? 0 : std::uint32_t{last} - first + 1;
  }

  Port take() {
    while (left_ > 0) {
      const Port candidate = next_;
      next_ = candidate == last_ ? first_ : static_cast<Port>(candidate + 1);
      --left_;
      if (leased_.count(candidate) == 0 && is_free_(candidate)) {
        connection_.query("UPDATE port_cursor SET last_port = ?").with(candidate).run();
        return candidate;
      }
    }
    throw Error(
        fmt::format("no port from {} to {} is free ({} leased)", first_, last_, counted(leased_.size(), "port")),
        "widen the range under [ports] in server.toml");
  }

 private:
  Connection& connection_;
  Port first_, last_;
  bool (*is_free_)(Port);
  std::set<Port> leased_;
  Port next_;
  std::uint32_t left_;  // candidates that were not looked at
};

constexpr std::string_view kOneInstance = " WHERE app = ? AND release = ? AND type = ? AND number = ?";

// Of those that have instances with a port. `text` as to_json() in model/process.hh writes it; within a text the quotes
// would be escaped.
std::set<std::pair<AppId, ReleaseNumber>> releases_with(Connection& db, const std::string& text) {
  Query rows = db.query(
      "SELECT DISTINCT r.app_id, r.number FROM instances i JOIN releases r ON r.app_id = i.app_id AND r.number = "
      "i.release WHERE i.port IS NOT NULL AND instr(r.processes, ?) > 0");
  rows.with(text);
  std::set<std::pair<AppId, ReleaseNumber>> found;
  while (rows.next()) {
    const AppId app = rows.integer();
    found.emplace(app, rows.number<ReleaseNumber>());
  }
  return found;
}

}  // namespace

void Store::set_attachment_with_port(ServiceAttachment& attachment, Port first, Port last, bool (*is_free)(Port)) {
  Transaction transaction(*db_);
  attachment.port = PortSearch(*db_, first, last, is_free).take();
  set_attachment(attachment);
  transaction.commit();
}

std::vector<Instance> Store::add_instances(const Release& release, const std::vector<InstanceName>& kept, Port first,
                                           Port last, bool (*is_free)(Port)) {
  Transaction transaction(*db_);
  if (!this->release(release.app_id, release.number)) {
    throw Error(fmt::format("there is no release {} of {} to run", release.number, release.app.str()));
  }
  PortSearch ports(*db_, first, last, is_free);
  const WallTime at = now();
  static const std::string kKeep = fmt::format("UPDATE instances SET kept_by = ?{}", kOneInstance);
  std::set<std::pair<ProcessType, std::uint32_t>> taken;
  for (const InstanceName& name : kept) {
    db_->query(kKeep).with(release.number, name.app, name.release, name.type, name.number).run();
    taken.emplace(name.type, name.number);
  }
  for (const Process& process : release.processes) {
    for (std::uint32_t number = 1; number <= process.count; ++number) {
      if (taken.contains({process.type, number})) continue;
      const bool there =
          db_->query("SELECT 1 FROM instances WHERE app_id = ? AND release = ? AND type = ? AND number = ?")
              .with(release.app_id, release.number, process.type, number)
              .only_integer()
              .has_value();
      if (there) continue;
      std::optional<Port> port;
      if (process.is_routed()) port = ports.take();
      db_->query("INSERT INTO instances VALUES (?, ?, ?, ?, ?, 'starting', ?, NULL, ?)")
          .with(release.app_id, release.number, process.type, number, port, at, release.app)
          .run();
      for (const Port listed : process.ports) {
        db_->query("INSERT INTO instance_ports VALUES (?, ?, ?, ?, ?, ?)")
            .with(release.app_id, release.number, process.type, number, listed, ports.take())
            .run();
      }
    }
  }
  std::vector<Instance> of_release;
  for (Instance& instance : instances(release.app_id)) {
    if (instance.name.release == release.number) of_release.push_back(std::move(instance));
  }
  transaction.commit();
  return of_release;
}

std::set<std::pair<AppId, ReleaseNumber>> Store::sticky_releases() const {
  return releases_with(*db_, "\"sticky\":true");
}

std::set<std::pair<AppId, ReleaseNumber>> Store::h2_releases() const { return releases_with(*db_, "\"h2\":true"); }

std::map<AppId, HttpRules> Store::http_rules() const {
  Query rows = db_->query(
      "SELECT r.app_id, r.processes FROM apps a JOIN releases r ON r.app_id = a.id AND r.number = a.live"
      " WHERE instr(r.processes, '\"http\":\"') > 0");
  std::map<AppId, HttpRules> found;
  while (rows.next()) {
    const AppId app = rows.integer();
    for (auto& process : processes_from_json(rows.text())) {
      if (process.is_routed()) found.emplace(app, std::move(process.http));
    }
  }
  return found;
}

std::vector<Instance> Store::instances() const {
  static const std::string kSql = select_instances("");
  Query rows = db_->query(kSql);
  return read_instances(rows);
}

std::vector<Instance> Store::instances(AppId app) const {
  static const std::string kSql = select_instances("WHERE i.app_id = ?");
  Query rows = db_->query(kSql);
  return read_instances(rows.with(app));
}

void Store::set_instance_state(const InstanceName& instance, InstanceState state) {
  set_instance_states({instance}, state);
}

void Store::set_instance_states(const std::vector<InstanceName>& instances, InstanceState state) {
  static const std::string kSql =
      fmt::format("UPDATE instances SET state = ?, since = ?{} AND state <> ?", kOneInstance);
  if (instances.empty()) return;
  Transaction transaction(*db_);
  const WallTime at = now();
  for (const InstanceName& name : instances) {
    db_->query(kSql).with(to_string(state), at, name.app, name.release, name.type, name.number, to_string(state)).run();
  }
  transaction.commit();
}

void Store::remove_instance(const InstanceName& instance) { remove_instances({instance}); }

void Store::remove_instances(const std::vector<InstanceName>& instances) {
  static const std::string kSql = fmt::format("DELETE FROM instances{}", kOneInstance);
  if (instances.empty()) return;
  Transaction transaction(*db_);
  for (const InstanceName& name : instances) {
    db_->query(kSql).with(name.app, name.release, name.type, name.number).run();
  }
  transaction.commit();
}

}  // namespace pushrod
