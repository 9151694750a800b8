// MariaDB: one server for a service, and in it an account and a database for each attached app.
//
// Debian has one version of it. The administrator is root@localhost, with a password: every process of every app has
// the same user id as the server, so the account of the system says nothing.
//
// A database cannot be renamed, only tables can, all at once. A dump is therefore read into a database of its own; then
// the tables change places in one statement, and triggers, views, routines and events are made anew. What that takes is
// in a file before it begins, and recover() goes on with it.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include "base/error.hh"
#include "base/text.hh"
#include "os/files.hh"
#include "services/service_type.hh"
#include "services/whole_dump.hh"

namespace pushrod {

namespace {

constexpr const char* kServer = "/usr/sbin/mariadbd";
constexpr const char* kPrograms = "/usr/bin";
constexpr const char* kSocketName = "mysqld.sock";
constexpr const char* kAdministrator = "root";
// Below /data: a directory in the server's own would be taken for a database.
constexpr const char* kFiles = "/data/databases";
constexpr const char* kTemporary = "/data/tmp";
// A database that is being imported, and the tables that it replaces. No database of an app has such a name.
constexpr const char* kImport = "..import";
constexpr const char* kOld = "..old";
constexpr const char* kMoved = "..moved";  // a table that is in kOld as soon as the tables have changed places
constexpr const char* kUnfinished = ".import.unfinished";  // beside the data directory, after the name of the database

constexpr std::array<std::string_view, 4> kOwnDatabases{"information_schema", "mysql", "performance_schema", "sys"};

std::string socket_in(const std::string& directory) { return directory + "/" + kSocketName; }

// "mariadbd  Ver 10.11.19-MariaDB-0+deb12u1 for …" → "10.11"
std::string major_version(const std::string& text) {
  const auto at = text.find("Ver ");
  if (at == std::string::npos) return {};
  const auto dot = text.find('.', at);
  const auto end = dot == std::string::npos ? dot : text.find('.', dot + 1);
  return end == std::string::npos ? std::string() : text.substr(at + 4, end - at - 4);
}

Environment usual_environment() {
  return {{"PATH", "/usr/bin:/bin:/usr/sbin"}, {"LANG", "C.UTF-8"}, {"HOME", "/tmp"}, {"TZ", "UTC"}};
}

std::string replaced(std::string text, std::string_view what, std::string_view with) {
  for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + with.size())) {
    text.replace(at, what.size(), with);
  }
  return text;
}

std::string identifier(const std::string& name) { return "`" + replaced(name, "`", "``") + "`"; }

// Nothing that Pushrod puts between quotes holds one.
std::string literal(const std::string& text) {
  if (text.find_first_of("'\\") != std::string::npos) throw Error("a quote in a name of a database");
  return "'" + text + "'";
}

std::string account_name(const std::string& role) { return literal(role) + "@'%'"; }

// In a GRANT, "_" stands for any character.
std::string granted(const std::string& database) { return identifier(replaced(database, "_", "\\_")); }

// Views, triggers, routines and events run with the rights of who made them, which the dump names: that becomes the
// account whose database it is now.
std::string with_definer(const std::string& definitions, const std::string& role) {
  constexpr std::string_view kBegin = "DEFINER=`";
  std::string text;
  for (const auto& line : lines_of(definitions)) {
    const auto begin = line.find(kBegin);
    const auto middle = begin == std::string::npos ? begin : line.find("`@`", begin + kBegin.size());
    const auto end = middle == std::string::npos ? middle : line.find('`', middle + 3);
    const bool names_it = end != std::string::npos && (line.starts_with("/*!50") || line.starts_with("CREATE DEFINER"));
    text += names_it ? line.substr(0, begin) + "DEFINER=" + identifier(role) + "@`%`" + line.substr(end + 1) : line;
    text += '\n';
  }
  return text;
}

class MariaDb : public ServiceType {
 public:
  std::string_view name() const override { return "mariadb"; }
  std::string_view description() const override { return "MariaDB"; }
  std::string package(const std::string&) const override { return "mariadb-server"; }
  std::string unit() const override { return "mariadb"; }
  std::uint64_t usual_memory() const override { return std::uint64_t{256} << 20; }
  std::uint64_t least_memory() const override { return std::uint64_t{128} << 20; }
  std::string_view prefix() const override { return "DATABASE"; }
  std::string_view socket_name() const override { return kSocketName; }
  bool has_databases() const override { return true; }

  std::vector<InstalledServer> installed() const override {
    const auto has = [](const fs::path& program) { return access(program.c_str(), X_OK) == 0; };
    if (!has(kServer) || !has(fs::path(kPrograms) / "mariadb-install-db") || !has(fs::path(kPrograms) / "mariadb-dump"))
      return {};
    Command ask;
    ask.argv = {kServer, "--version"};
    const auto major = major_version(run(ask).out);
    if (major.empty()) return {};
    return {{major, kPrograms}};
  }

  ServicePlan plan(const Server& server) const override {
    const auto megabytes = server.service.memory >> 20;
    ServicePlan plan{
        .name = server.service.name,
        .argv = {kServer, "--no-defaults", fmt::format("--datadir={}", kFiles), fmt::format("--tmpdir={}", kTemporary),
                 "--skip-networking", fmt::format("--socket={}", socket_in(kServiceSocket)),
                 "--pid-file=/tmp/mariadbd.pid", "--skip-name-resolve", "--skip-log-bin", "--performance-schema=OFF",
                 "--character-set-server=utf8mb4"}};
    const auto size = [&](const char* option, std::uint64_t value) {
      plan.argv.push_back(fmt::format("--{}={}M", option, value));
    };
    size("innodb-buffer-pool-size", std::max<std::uint64_t>(megabytes / 4, 16));
    size("innodb-log-file-size", std::clamp<std::uint64_t>(megabytes / 8, 16, 512));
    size("aria-pagecache-buffer-size", std::clamp<std::uint64_t>(megabytes / 32, 8, 128));
    size("innodb-log-buffer-size", std::clamp<std::uint64_t>(megabytes / 64, 2, 16));  // it is held twice
    size("key-buffer-size", 1);
    plan.argv.push_back(fmt::format("--max-connections={}", std::clamp<std::uint64_t>(megabytes / 3, 20, 200)));
    if (server.service.over_disk != 0) plan.argv.emplace_back("--read-only");
    plan.environment = usual_environment();
    plan.limits.memory = server.service.memory;
    return plan;
  }

  void initialise(const Server& server, const fs::path& data) const override {
    copy_template(server, data, [&](const fs::path& fresh) {
      make_directory(fresh / "tmp");
      run_service_tool(server,
                       {{server.program("mariadb-install-db"), "--no-defaults", fmt::format("--datadir={}", kFiles),
                         "--auth-root-authentication-method=normal", "--skip-test-db", "--cross-bootstrap",
                         "--innodb-log-file-size=16M"},
                        usual_environment()},
                       {}, fresh);
    });
    // Set the password before the server accepts connections.
    run_service_tool(
        server,
        {{kServer, "--no-defaults", "--bootstrap", fmt::format("--datadir={}", kFiles), "--innodb-log-file-size=16M"},
         usual_environment()},
        fmt::format(
            "DELETE FROM mysql.global_priv WHERE NOT (User IN ('root', 'mariadb.sys') AND Host = 'localhost');\n"
            "DELETE FROM mysql.proxies_priv;\nFLUSH PRIVILEGES;\n"
            "ALTER USER root@localhost IDENTIFIED BY {};\n",
            literal(server.password.reveal())),
        data);
  }

  bool answers(const Server& server) const override {
    auto command = server.platform.engine.tool(
        {server.service.name, client(server, "mariadb-admin", {"ping"}).argv, client_environment(server)});
    command.deadline = Milliseconds{5'000};
    return run(command).ok();
  }

  std::vector<std::string> databases(const Server& server) const override {
    auto names = lines_of(sql(server, "SHOW DATABASES;\n"));
    std::erase_if(names, [](const std::string& name) {
      return std::ranges::find(kOwnDatabases, name) != kOwnDatabases.end() || name.find("..") != std::string::npos;
    });
    return names;
  }

  void open_account(const Server& server, const ServiceAccount& account) const override {
    const auto user = account_name(account.role);
    sql(server,
        fmt::format("CREATE USER IF NOT EXISTS {0};\nALTER USER {0} IDENTIFIED BY {1} ACCOUNT UNLOCK;\n"
                    "CREATE DATABASE IF NOT EXISTS {2};\nGRANT ALL PRIVILEGES ON {3}.* TO {0};\n",
                    user, literal(account.password.reveal()), identifier(account.database), granted(account.database)));
  }

  // What accounts may do with a database, the server knows by its name.
  void make_database(const Server& server, const std::string& database,
                     const std::vector<std::string>&) const override {
    sql(server, fmt::format("CREATE DATABASE IF NOT EXISTS {};\n", identifier(database)));
    owner_of(server, database);
  }

  // An account that is locked goes on as the one with whose rights views and routines run.
  void close_account(const Server& server, const ServiceAccount& account, bool with_database) const override {
    const auto user = account_name(account.role);
    auto script = fmt::format("ALTER USER IF EXISTS {0} IDENTIFIED BY {1} ACCOUNT LOCK;\n", user,
                              literal(random_password().reveal()));
    if (with_database) {
      script +=
          fmt::format("DROP DATABASE IF EXISTS {};\nDROP USER IF EXISTS {};\n", identifier(account.database), user);
    }
    sql(server, script + sql(server, fmt::format("SELECT CONCAT('KILL ', ID, ';') FROM"
                                                 " information_schema.PROCESSLIST WHERE USER = {};\n",
                                                 literal(account.role))));
  }

  std::map<std::string, Variable> variables(const ServiceAccount& account, const std::string& prefix) const override {
    if (account.port) return tcp_variables(account, prefix);
    const auto& password = account.password.reveal();
    const auto socket = socket_in(account.directory);
    // Clients do not agree on the name of the socket's parameter, and some refuse those that they do not know.
    const auto url = [&](const char* parameter) {
      return fmt::format("mysql://{}:{}@localhost/{}?{}={}", account.role, password, account.database, parameter,
                         socket);
    };
    std::map<std::string, Variable> variables{{prefix + "_URL", {url("unix_socket"), true}}};
    if (prefix != this->prefix()) return variables;
    variables["MYSQL_URL"] = {url("socketPath"), true};
    for (const auto& [host, user, secret, database, path] :
         {std::array{"MYSQL_HOST", "MYSQL_USER", "MYSQL_PASSWORD", "MYSQL_DATABASE", "MYSQL_UNIX_PORT"},
          std::array{"DB_HOST", "DB_USERNAME", "DB_PASSWORD", "DB_DATABASE", "DB_SOCKET"}}) {
      variables[host] = {"localhost"};
      variables[user] = {account.role};
      variables[secret] = {password, true};
      variables[database] = {account.database};
      variables[path] = {socket};
    }
    return variables;
  }

  ServiceClient dump(const Server& server, const std::string& database) const override {
    return client(server, "mariadb-dump",
                  {"--single-transaction", "--quick", "--routines", "--events", "--hex-blob",
                   "--default-character-set=utf8mb4", database});
  }

  void restore(const Server& server, const std::string& database, int input) const override {
    recover(server);
    const auto import = identifier(database + kImport), old = identifier(database + kOld);
    const auto drop = fmt::format("DROP DATABASE IF EXISTS {};\nDROP DATABASE IF EXISTS {};\n", import, old);
    sql(server, drop + sql(server, fmt::format("SELECT CONCAT('CREATE DATABASE {} CHARACTER SET ',"
                                               " DEFAULT_CHARACTER_SET_NAME, ' COLLATE ',"
                                               " DEFAULT_COLLATION_NAME, ';') FROM information_schema.SCHEMATA"
                                               " WHERE SCHEMA_NAME = {};\n",
                                               import, literal(database))));
    try {
      WholeDump dump(input, "\n-- Dump completed");
      feed_service_tool(server, client(server, "mariadb", {"--batch", database + kImport}), dump.output());
      if (!dump.came_to_its_end()) throw Error("the import failed: the dump is not complete");
      sql(server, fmt::format("CREATE TABLE {}.{} (v INT);\n", import, identifier(kMoved)));
      write_file(unfinished(server, database),
                 with_definer(definitions(server, database + kImport), owner_of(server, database)));
    } catch (const Error&) {
      sql(server, drop);
      throw;
    }
    recover(server);
  }

  void recover(const Server& server) const override {
    const auto directory = server.platform.layout.backing_service(server.service.name);
    for (const auto& file : list_directory(directory)) {
      if (!file.ends_with(kUnfinished)) continue;
      finish(server, file.substr(0, file.size() - std::string_view(kUnfinished).size()));
    }
  }

  void finish_takeover(const Server& server) const override {
    // It notes in the server's directory that it has been there.
    run_service_tool(server, client(server, "mariadb-upgrade", {"--silent"}), {},
                     server.platform.layout.service_data(server.service.name));
  }

  void set_read_only(const Server& server, bool read_only) const override {
    sql(server, fmt::format("SET GLOBAL read_only = {:d};\n", read_only));
  }

  ServiceClient console(const Server& server, const std::string& database) const override {
    return client(server, "mariadb", database.empty() ? std::vector<std::string>{} : std::vector{database});
  }

  Environment client_environment(const Server& server) const override {
    auto environment = usual_environment();
    environment["MYSQL_UNIX_PORT"] = socket_in(kServiceSocket);
    environment["MYSQL_HOST"] = "localhost";
    environment["MYSQL_PWD"] = server.password.reveal();
    return environment;
  }

 private:
  std::map<std::string, Variable> tcp_variables(const ServiceAccount& account, const std::string& prefix) const {
    const auto& password = account.password.reveal();
    const auto port = std::to_string(account.port.value());
    const auto url = fmt::format("mysql://{}:{}@127.0.0.1:{}/{}", account.role, password, port, account.database);
    if (prefix != this->prefix()) return {{prefix + "_URL", {url, true}}};
    auto variables = jdbc_variables("mariadb", account);
    variables[prefix + "_URL"] = variables["MYSQL_URL"] = {url, true};
    for (const auto& [host, user, secret, database, number] :
         {std::array{"MYSQL_HOST", "MYSQL_USER", "MYSQL_PASSWORD", "MYSQL_DATABASE", "MYSQL_TCP_PORT"},
          std::array{"DB_HOST", "DB_USERNAME", "DB_PASSWORD", "DB_DATABASE", "DB_PORT"}}) {
      variables[host] = {"127.0.0.1"};
      variables[user] = {account.role};
      variables[secret] = {password, true};
      variables[database] = {account.database};
      variables[number] = {port};
    }
    return variables;
  }

  ServiceClient client(const Server& server, const char* program, const std::vector<std::string>& words) const {
    std::vector<std::string> argv{server.program(program), "--no-defaults",
                                  fmt::format("--socket={}", socket_in(kServiceSocket)),
                                  fmt::format("--user={}", kAdministrator)};
    argv.insert(argv.end(), words.begin(), words.end());
    return {std::move(argv), client_environment(server)};
  }

  std::string sql(const Server& server, const std::string& script) const {
    return run_service_tool(
        server,
        client(server, "mariadb", {"--batch", "--raw", "--skip-column-names", "--default-character-set=utf8mb4"}),
        script);
  }

  // The account with all rights on the database: its app's, or one that cannot log in.
  std::string owner_of(const Server& server, const std::string& database) const {
    const auto users =
        lines_of(sql(server, fmt::format("SELECT User FROM mysql.db WHERE Db = '{}' ORDER BY User <> {};\n",
                                         replaced(database, "_", "\\\\_"), literal(database))));
    if (!users.empty()) return users.front();
    sql(server, fmt::format("CREATE USER IF NOT EXISTS {0} IDENTIFIED BY {1} ACCOUNT LOCK;\n"
                            "GRANT ALL PRIVILEGES ON {2}.* TO {0};\n",
                            account_name(database), literal(random_password().reveal()), granted(database)));
    return database;
  }

  // All of a database that does not come along with its tables, as SQL.
  std::string definitions(const Server& server, const std::string& database) const {
    const auto dumped = [&](std::vector<std::string> words) {
      words.insert(words.begin(), {"--no-data", "--default-character-set=utf8mb4"});
      return run_service_tool(server, client(server, "mariadb-dump", words));
    };
    auto text = dumped({"--no-create-info", "--routines", "--events", "--triggers", database});
    auto views = lines_of(sql(server, fmt::format("SELECT TABLE_NAME FROM information_schema.VIEWS WHERE"
                                                  " TABLE_SCHEMA = {};\n",
                                                  literal(database))));
    if (!views.empty()) {
      views.insert(views.begin(), database);
      text += dumped(views);
    }
    return text;
  }

  static fs::path unfinished(const Server& server, const std::string& database) {
    return server.platform.layout.backing_service(server.service.name) / (database + kUnfinished);
  }

  // Every step may find that it has been done.
  void finish(const Server& server, const std::string& database) const {
    const auto definitions = read_file(unfinished(server, database), std::size_t{1} << 30);
    if (!definitions) return;
    const auto import = database + kImport, old = database + kOld;
    // Each row of these is a statement, or a part of one.
    const auto drops = sql(
        server,
        fmt::format(
            "SELECT CONCAT('DROP TRIGGER `', TRIGGER_SCHEMA, '`.`', REPLACE(TRIGGER_NAME, '`', '``'), '`;')"
            " FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA IN ({0}, {1});\n"
            "SELECT CONCAT('DROP VIEW `', TABLE_SCHEMA, '`.`', REPLACE(TABLE_NAME, '`', '``'), '`;')"
            " FROM information_schema.VIEWS WHERE TABLE_SCHEMA = {0};\n"
            "SELECT CONCAT('DROP ', ROUTINE_TYPE, ' `', ROUTINE_SCHEMA, '`.`', REPLACE(ROUTINE_NAME, '`', '``'), '`;')"
            " FROM information_schema.ROUTINES WHERE ROUTINE_SCHEMA = {0} AND ROUTINE_TYPE IN ('PROCEDURE', "
            "'FUNCTION');\n"
            "SELECT CONCAT('DROP EVENT `', EVENT_SCHEMA, '`.`', REPLACE(EVENT_NAME, '`', '``'), '`;')"
            " FROM information_schema.EVENTS WHERE EVENT_SCHEMA = {0};\n"
            "SELECT CONCAT('KILL ', ID, ';') FROM information_schema.PROCESSLIST WHERE DB = {0};\n",
            literal(database), literal(import)));
    const auto moves = lines_of(sql(
        server,
        fmt::format(
            "SELECT CONCAT('`', TABLE_SCHEMA, '`.`', REPLACE(TABLE_NAME, '`', '``'), '` TO `',"
            " IF(TABLE_SCHEMA = {0} OR TABLE_NAME = {3}, {2}, {0}), '`.`', REPLACE(TABLE_NAME, '`', '``'), '`')"
            " FROM information_schema.TABLES WHERE TABLE_SCHEMA IN ({0}, {1}) AND TABLE_TYPE IN ('BASE TABLE', "
            "'SEQUENCE')"
            " AND NOT EXISTS (SELECT 1 FROM information_schema.TABLES WHERE TABLE_SCHEMA = {2} AND TABLE_NAME = {3})"
            " ORDER BY TABLE_SCHEMA <> {0};\n",
            literal(database), literal(import), literal(old), literal(kMoved))));
    auto script = fmt::format("{}CREATE DATABASE IF NOT EXISTS {};\n", drops, identifier(old));
    if (!moves.empty()) script += fmt::format("RENAME TABLE {};\n", join(moves, ", "));
    sql(server, fmt::format("{}USE {};\n{}\nDROP DATABASE IF EXISTS {};\nDROP DATABASE {};\n", script,
                            identifier(database), *definitions, identifier(import), identifier(old)));
    remove_file(unfinished(server, database));
  }
};

}  // namespace

const ServiceType& mariadb_type() {
  static const MariaDb kType;
  return kType;
}

}  // namespace pushrod
