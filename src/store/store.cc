// Opening the store, and questions about the database as a whole.
// The tables are in first_tables.cc and migrations.cc; each other file here reads and writes those that its name tells.
#include "store/store.hh"

#include "base/error.hh"
#include "base/text.hh"
#include "model/layout.hh"
#include "store/database.hh"
#include "store/schema.hh"

namespace pushrod {

Store::Store(const std::filesystem::path& path, Milliseconds patience)
    : db_(std::make_unique<Database>(path, patience)), key_file_(Layout(path.parent_path()).settings_key()) {
  prepare_schema(*db_);
}

Store::~Store() = default;

const Vault& Store::vault() const {
  if (!vault_) vault_ = std::make_unique<Vault>(key_file_);
  return *vault_;
}

void Store::together(const std::function<void()>& changes) {
  Transaction transaction(*db_);
  changes();
  transaction.commit();
}

// SQLite's data_version tells of other connections only.
std::int64_t Store::data_version() const {
  const auto others = static_cast<std::uint64_t>(db_->integer_of("PRAGMA data_version"));
  return static_cast<std::int64_t>(others << 32U | db_->commits());
}

std::string Store::integrity() const {
  std::vector<std::string> problems;
  try {
    Query check = db_->query("PRAGMA integrity_check");
    while (check.next()) {
      if (const std::string line = check.text(); line != "ok") problems.push_back(escaped(line));
    }
    Query references = db_->query("SELECT \"table\", \"parent\" FROM pragma_foreign_key_check");
    while (references.next()) {
      const std::string table = references.text();
      problems.push_back("a row of " + escaped(table) + " names one of " + escaped(references.text()) +
                         " that is not there");
    }
  } catch (const Error& error) {
    // Too damaged even for the check.
    problems.push_back(error.message());
  }
  return problems.empty() ? "ok" : join(problems, "\n");
}

}  // namespace pushrod
