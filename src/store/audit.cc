// The audit.
// Rows are added and finished, and go when they are old; nothing else changes them.
#include "model/audit.hh"

#include "store/database.hh"

namespace pushrod {

namespace {

AuditEntry read_entry(Query& row) {
  return AuditEntry{.id = row.integer(),
                    .at = row.time(),
                    .who = row.text(),
                    .fingerprint = row.text(),
                    .address = row.text(),
                    .app = row.text(),
                    .action = row.text(),
                    .detail = row.text(),
                    .outcome = row.text()};
}

}  // namespace

std::int64_t Store::begin_audit(const AuditEntry& entry) {
  Transaction transaction(*db_);
  Query insert = db_->query(
      "INSERT INTO audit (at, who, key_fingerprint, address, app, action, detail, outcome)"
      " VALUES (?, ?, ?, ?, ?, ?, ?, ?) RETURNING id");
  insert.with(now(), entry.who, entry.fingerprint, entry.address, entry.app, entry.action, entry.detail, entry.outcome);
  const auto id = insert.only_integer().value();
  transaction.commit();
  return id;
}

void Store::end_audit(std::int64_t id, const std::string& outcome) {
  Transaction transaction(*db_);
  db_->query("UPDATE audit SET outcome = ? WHERE id = ?").with(outcome, id).run();
  transaction.commit();
}

std::vector<AuditEntry> Store::audit(unsigned most, const std::function<bool(const AuditEntry&)>& wanted) const {
  Query rows = db_->query(
      "SELECT id, at, who, key_fingerprint, address, app, action, detail, outcome FROM audit ORDER BY id DESC");
  std::vector<AuditEntry> found;
  while (found.size() < most && rows.next()) {
    if (auto entry = read_entry(rows); wanted(entry)) found.push_back(std::move(entry));
  }
  return found;
}

void Store::prune_audit(unsigned keep) {
  Transaction transaction(*db_);
  db_->query("DELETE FROM audit WHERE id <= (SELECT max(id) FROM audit) - ?").with(keep).run();
  transaction.commit();
}

}  // namespace pushrod
