// Brings a database to this program's schema.
#include "store/schema.hh"

#include <fmt/format.h>

#include <cstdint>

#include "base/error.hh"
#include "base/text.hh"
#include "store/migrations.hh"

namespace pushrod {

namespace {

constexpr std::int64_t kApplicationId = 0x50757264;  // "Purd", shown by file(1)

std::int64_t newest() { return static_cast<std::int64_t>(migrations().size()); }

std::int64_t version_of(Connection& connection) { return connection.integer_of("PRAGMA user_version"); }

// How many migrations the database has seen, once it is sure that it is ours.
std::int64_t checked_version(Connection& connection) {
  Transaction one_state(connection, Transaction::Kind::Read);
  const std::int64_t version = version_of(connection);
  const std::int64_t application = connection.integer_of("PRAGMA application_id");
  const std::string path = quoted(connection.path().native());
  const auto is_empty = [&] {
    return version == 0 && application == 0 && connection.integer_of("SELECT count(*) FROM sqlite_schema") == 0;
  };
  if (application != kApplicationId && !is_empty()) {
    throw UserError(fmt::format("{} is an SQLite database, but not Pushrod's", path),
                    "choose another root directory, or move that file away");
  }
  if (version > newest()) {
    throw UserError(fmt::format("the database {} was written by a newer Pushrod (schema {}; this one knows {})", path,
                                version, newest()),
                    "install that version again, or restore a backup made by this one");
  }
  return version;
}

// By one version, unless another process is faster.
void migrate(Connection& connection, std::int64_t version) {
  const auto& migration = migrations()[static_cast<std::size_t>(version)];
  if (!migration.is_transaction) connection.execute(migration.script);
  // Tables that others refer to are made again; whether all still fits is asked at the end.
  connection.execute("PRAGMA foreign_keys = OFF");
  {
    Transaction transaction(connection);
    if (version_of(connection) == version) {
      if (migration.is_transaction) connection.execute(migration.script);
      connection.execute(
          fmt::format("PRAGMA user_version = {}; PRAGMA application_id = {}", version + 1, kApplicationId));
      if (connection.query("PRAGMA foreign_key_check").next()) {
        throw Error(fmt::format("the database {} does not fit together after its migration to schema {}",
                                quoted(connection.path().native()), version + 1),
                    "nothing was changed; install the version before again");
      }
      transaction.commit();
    }
  }
  connection.execute("PRAGMA foreign_keys = ON");
}

}  // namespace

void prepare_schema(Connection& connection) {
  while (true) {
    const std::int64_t version = checked_version(connection);
    if (version == newest()) return;
    migrate(connection, version);
  }
}

}  // namespace pushrod
