// SSH keys and which apps they may touch.
// A key's id stands in authorized_keys, and is never used twice.
#include <fmt/format.h>

#include "base/error.hh"
#include "base/text.hh"
#include "store/database.hh"

namespace pushrod {

namespace {

constexpr std::string_view kKeys =
    "SELECT k.id, k.name, k.public_key, k.fingerprint, k.role, k.all_apps, k.created, a.name FROM keys k"
    " LEFT JOIN key_apps ka ON ka.key_id = k.id LEFT JOIN apps a ON a.id = ka.app_id"
    " WHERE ?1 IS NULL OR k.id = ?1 ORDER BY k.id, a.name";

// A key has a row for each of its apps, or one without.
std::vector<Key> read_keys(Query& rows) {
  std::vector<Key> keys;
  while (rows.next()) {
    Key key{.id = rows.integer(),
            .name = rows.name<KeyName>(),
            .public_key = rows.text(),
            .fingerprint = rows.text(),
            .role = role_from(rows.text()),
            .all_apps = rows.boolean(),
            .apps = {},
            .created = rows.time()};
    if (keys.empty() || keys.back().id != key.id) keys.push_back(std::move(key));
    if (auto app = rows.optional([](Query& row) { return row.name<AppName>(); })) {
      keys.back().apps.push_back(*std::move(app));
    }
  }
  return keys;
}

void refuse_same(Connection& connection, const KeyName& name, const std::string& public_key) {
  Query same = connection.query("SELECT name FROM keys WHERE name = ?1 OR public_key = ?2 ORDER BY name = ?1 DESC");
  if (!same.with(name, public_key).next()) return;
  const KeyName other = same.name<KeyName>();
  if (other == name) {
    throw UserError(fmt::format("there is a key called {} already", name.str()),
                    fmt::format("choose another name, or remove that one first: pushrod key remove {}", name.str()));
  }
  throw UserError(fmt::format("this key is there already, as {}", other.str()),
                  fmt::format("use another key pair, or remove that one first: pushrod key remove {}", other.str()));
}

void write_apps(Connection& connection, std::int64_t key, const std::vector<AppName>& apps) {
  for (const AppName& app : apps) {
    const auto app_id = connection.query("SELECT id FROM apps WHERE name = ?").with(app).only_integer();
    if (!app_id) throw UserError(fmt::format("there is no app called {}", app.str()), "pushrod app list shows them");
    connection.query("INSERT OR IGNORE INTO key_apps VALUES (?, ?)").with(key, *app_id).run();
  }
}

UserError no_such_key(const KeyName& name, const std::vector<Key>& known) {
  std::vector<std::string> names;
  names.reserve(known.size());
  for (const Key& key : known) names.push_back(key.name.str());
  const std::optional<std::string> meant = nearest(name.str(), names);
  return UserError(fmt::format("there is no key called {}", name.str()),
                   meant ? fmt::format("did you mean {}?", *meant) : "pushrod key list shows them");
}

}  // namespace

Key Store::add_key(const KeyName& name, const std::string& public_key, const std::string& fingerprint, Role role,
                   const std::vector<AppName>& apps) {
  Transaction transaction(*db_);
  refuse_same(*db_, name, public_key);
  Query insert = db_->query(
      "INSERT INTO keys (name, public_key, fingerprint, role, all_apps, created) VALUES (?, ?, ?, ?, ?, ?) RETURNING "
      "id");
  insert.with(name, public_key, fingerprint, to_string(role), std::int64_t{apps.empty()}, now());
  const std::int64_t id = insert.only_integer().value();
  write_apps(*db_, id, apps);
  Key added = key(id).value();
  transaction.commit();
  return added;
}

Key Store::set_key(const KeyName& name, Role role, const std::vector<AppName>& apps) {
  Transaction transaction(*db_);
  Query update = db_->query("UPDATE keys SET role = ?, all_apps = ? WHERE name = ? RETURNING id");
  const auto id = update.with(to_string(role), std::int64_t{apps.empty()}, name).only_integer();
  if (!id) throw no_such_key(name, keys());
  db_->query("DELETE FROM key_apps WHERE key_id = ?").with(*id).run();
  write_apps(*db_, *id, apps);
  Key changed = key(*id).value();
  transaction.commit();
  return changed;
}

void Store::remove_key(const KeyName& name) {
  Transaction transaction(*db_);
  if (!db_->query("DELETE FROM keys WHERE name = ? RETURNING id").with(name).only_integer()) {
    throw no_such_key(name, keys());
  }
  transaction.commit();
}

std::vector<Key> Store::keys() const {
  Query rows = db_->query(kKeys);
  return read_keys(rows.with(std::optional<std::int64_t>{}));
}

std::optional<Key> Store::key(std::int64_t id) const {
  Query rows = db_->query(kKeys);
  std::vector<Key> found = read_keys(rows.with(id));
  if (found.empty()) return std::nullopt;
  return std::move(found.front());
}

}  // namespace pushrod
