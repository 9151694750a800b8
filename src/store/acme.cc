// Orders for certificates, and what was asked for.
#include "store/database.hh"

namespace pushrod {

namespace {

AcmeOrder read_order(Query& row) {
  const auto id = row.integer();
  auto host = HostName::parse(row.text());
  const bool renews = row.boolean();
  const auto begun = row.time();
  const auto time = [](Query& column) { return column.time(); };
  const auto ended = row.optional(time);
  auto error = row.text();
  return {id, std::move(host), renews, begun, ended, std::move(error), row.optional(time)};
}

}  // namespace

std::vector<AcmeOrder> Store::acme_orders() const {
  Query rows = db_->query("SELECT id, host, renews, begun, ended, error, not_before FROM acme_orders ORDER BY id");
  return read_all(rows, read_order);
}

std::int64_t Store::begin_acme_order(const HostName& host, bool renews) {
  return db_->query("INSERT INTO acme_orders (host, renews, begun) VALUES (?, ?, ?) RETURNING id")
      .with(host.str(), std::int64_t{renews}, now())
      .only_integer()
      .value();
}

void Store::end_acme_order(std::int64_t id, const std::string& error, std::optional<WallTime> not_before) {
  Transaction transaction(*db_);
  db_->query("UPDATE acme_orders SET ended = ?2, error = ?3, not_before = ?4 WHERE id = ?1")
      .with(id, now(), error, not_before)
      .run();
  db_->query("DELETE FROM acme_requests WHERE host = (SELECT host FROM acme_orders WHERE id = ?)").with(id).run();
  transaction.commit();
}

void Store::drop_acme_orders(WallTime before) {
  db_->query("DELETE FROM acme_orders WHERE begun < ?").with(before).run();
}

std::set<HostName> Store::acme_requests() const {
  Query rows = db_->query("SELECT host FROM acme_requests");
  std::set<HostName> hosts;
  while (rows.next()) hosts.insert(HostName::parse(rows.text()));
  return hosts;
}

void Store::request_certificate(const HostName& host) {
  db_->query("INSERT OR IGNORE INTO acme_requests VALUES (?)").with(host.str()).run();
}

std::vector<DnsCredentials> Store::dns_credentials() const {
  Query rows = db_->query("SELECT zone, provider, sealed, added FROM dns_credentials ORDER BY zone");
  return read_all(rows, [](Query& row) {
    return DnsCredentials{.zone = row.text(), .provider = row.text(), .sealed = row.text(), .added = row.time()};
  });
}

void Store::set_dns_credentials(const DnsCredentials& credentials) {
  db_->query("INSERT OR REPLACE INTO dns_credentials VALUES (?, ?, ?, ?)")
      .with(credentials.zone, credentials.provider, Blob{credentials.sealed}, credentials.added)
      .run();
}

void Store::remove_dns_credentials(const std::string& zone) {
  db_->query("DELETE FROM dns_credentials WHERE zone = ?").with(zone).run();
}

}  // namespace pushrod
