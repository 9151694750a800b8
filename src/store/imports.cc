// Apps that are being imported.
#include <fmt/format.h>

#include "base/text.hh"
#include "store/database.hh"

namespace pushrod {

std::int64_t Store::begin_import(const std::string& transfer, const RepoName& repo, bool makes_repo) {
  Transaction transaction(*db_);
  db_->query("INSERT INTO imports (transfer, repo, makes_repo) VALUES (?, ?, ?)")
      .with(transfer, repo, std::int64_t{makes_repo})
      .run();
  const auto id = db_->query("SELECT max(id) FROM imports").only_integer().value();
  transaction.commit();
  return id;
}

void Store::set_import_app(std::int64_t id, AppId app) {
  Transaction transaction(*db_);
  db_->query("UPDATE imports SET app_id = ? WHERE id = ?").with(app, id).run();
  transaction.commit();
}

void Store::set_import_certificates(std::int64_t id, const std::vector<HostName>& hosts) {
  std::string lines;
  for (const auto& host : hosts) lines += host.str() + "\n";
  Transaction transaction(*db_);
  db_->query("UPDATE imports SET certificates = ? WHERE id = ?").with(lines, id).run();
  transaction.commit();
}

void Store::end_import(std::int64_t id) {
  Transaction transaction(*db_);
  db_->query("DELETE FROM imports WHERE id = ?").with(id).run();
  transaction.commit();
}

std::vector<Import> Store::imports() const {
  Query rows = db_->query("SELECT id, transfer, repo, makes_repo, app_id, certificates FROM imports ORDER BY id");
  return read_all(rows, [](Query& row) {
    Import import{.id = row.integer(),
                  .transfer = row.text(),
                  .repo = row.name<RepoName>(),
                  .makes_repo = row.boolean(),
                  .app = row.optional([](Query& column) { return column.integer(); }),
                  .certificates = {}};
    for (const auto& host : lines_of(row.text())) import.certificates.push_back(HostName::parse(host));
    return import;
  });
}

}  // namespace pushrod
