// PostgreSQL: one server for a service, and in it a role and a database for each attached app.
//
// Debian installs each major version in a directory of its own. The administrator is the superuser "postgres";
// pg_hba.conf lets nobody in without a SCRAM password, since every process of every app has the same user id as the
// server.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>

#include "base/error.hh"
#include "base/text.hh"
#include "os/files.hh"
#include "services/piped_tool.hh"
#include "services/service_type.hh"

namespace pushrod {

namespace {

constexpr const char* kVersions = "/usr/lib/postgresql";
constexpr const char* kSuperuser = "postgres";
constexpr const char* kReadOnly = "default_transaction_read_only";
// A database that is being imported, and the one that it replaces. No database of an app has such a name.
constexpr const char* kImport = "..import";
constexpr const char* kOld = "..old";

constexpr const char* kClientAuthentication =
    "# Written by Pushrod. There is no TCP; every connection needs a password.\n"
    "local all all scram-sha-256\n"
    "local replication all scram-sha-256\n";

constexpr const char* kAdministratorAlone =
    "# Written by Pushrod, while its server becomes another version.\n"
    "local all postgres scram-sha-256\n";

Environment usual_environment() {
  return {{"PATH", "/usr/bin:/bin"}, {"LANG", "C.UTF-8"}, {"LC_ALL", "C.UTF-8"}, {"HOME", "/tmp"}, {"TZ", "UTC"}};
}

std::string identifier(const std::string& name) { return "\"" + name + "\""; }

// Nothing that Pushrod puts between quotes holds one.
std::string literal(const std::string& text) {
  if (text.find_first_of("'\\") != std::string::npos) throw Error("a quote in a name of a database");
  return "'" + text + "'";
}

class Postgres : public ServiceType {
 public:
  std::string_view name() const override { return "postgres"; }
  std::string_view description() const override { return "PostgreSQL"; }
  std::string package(const std::string& version) const override {
    return version.empty() ? "postgresql" : "postgresql-" + version;
  }
  std::string unit() const override { return "postgresql"; }
  std::uint64_t usual_memory() const override { return std::uint64_t{256} << 20; }
  std::uint64_t least_memory() const override { return std::uint64_t{64} << 20; }
  std::string_view prefix() const override { return "DATABASE"; }
  std::string_view socket_name() const override { return ".s.PGSQL.5432"; }
  bool has_databases() const override { return true; }

  std::vector<InstalledServer> installed() const override {
    std::vector<InstalledServer> found;
    for (const auto& version : list_directory(kVersions)) {
      const auto programs = fs::path(kVersions) / version / "bin";
      const auto has = [&](const char* program) { return access((programs / program).c_str(), X_OK) == 0; };
      if (parse_unsigned(version) && has("postgres") && has("initdb") && has("psql"))
        found.push_back({version, programs});
    }
    std::ranges::sort(found, std::greater{},
                      [](const InstalledServer& server) { return parse_unsigned(server.version); });
    return found;
  }

  ServicePlan plan(const Server& server) const override {
    const auto megabytes = server.service.memory >> 20;
    ServicePlan plan{.name = server.service.name, .argv = {server.program("postgres"), "-D", kServiceData}};
    const auto set = [&](const std::string& setting) {
      plan.argv.emplace_back("-c");
      plan.argv.push_back(setting);
    };
    set("listen_addresses=");
    set(fmt::format("unix_socket_directories={}", kServiceSocket));
    set("unix_socket_permissions=0700");
    set("hba_file=/data/pg_hba.conf");
    set("password_encryption=scram-sha-256");
    set(fmt::format("shared_buffers={}MB", std::max<std::uint64_t>(megabytes / 4, 16)));
    set(fmt::format("effective_cache_size={}MB", std::max<std::uint64_t>(megabytes * 3 / 4, 16)));
    set(fmt::format("max_connections={}", std::clamp<std::uint64_t>(megabytes / 3, 20, 200)));
    if (const auto disk = disk_limit(server.platform.settings, server.service); disk != 0) {
      // Its log of changes counts, too: at most an eighth, where the usual is a gigabyte.
      set(fmt::format("max_wal_size={}MB", std::clamp<std::uint64_t>((disk >> 20) / 8, 32, 1024)));
      set("min_wal_size=32MB");
    }
    set("jit=off");
    set("log_line_prefix=%q%u@%d ");
    plan.environment = usual_environment();
    plan.limits.memory = server.service.memory;
    plan.stop_signal = SIGINT;          // fast: ends its connections, and writes everything down
    plan.second_stop_signal = SIGQUIT;  // ends at once, and recovers at its next start
    return plan;
  }

  void initialise(const Server& server, const fs::path& data) const override {
    // initdb takes two seconds, a copy of its result some milliseconds.
    copy_template(server, data, [&](const fs::path& fresh) {
      run_service_tool(
          server,
          {{server.program("initdb"), "-D", kServiceData, "--username", kSuperuser, "--auth", "scram-sha-256",
            "--pwfile", "/dev/stdin", "--locale", "C.UTF-8", "--encoding", "UTF8", "--no-sync", "--no-instructions"},
           usual_environment()},
          random_password().reveal() + "\n", fresh);
    });
    write_file(data / "pg_hba.conf", kClientAuthentication);
    // Before the server takes connections: there is no moment without a password.
    run_service_tool(server,
                     {{server.program("postgres"), "--single", "-D", kServiceData, "-c", "jit=off", "-c",
                       "password_encryption=scram-sha-256", kSuperuser},
                      usual_environment()},
                     fmt::format("ALTER ROLE {} PASSWORD {};\nREVOKE CONNECT ON DATABASE postgres FROM PUBLIC;\n"
                                 "REVOKE CONNECT ON DATABASE template1 FROM PUBLIC;\n",
                                 kSuperuser, literal(server.password.reveal())),
                     data);
  }

  bool answers(const Server& server) const override {
    auto command = server.platform.engine.tool(
        {server.service.name,
         {server.program("pg_isready"), "-q", "-h", kServiceSocket, "-U", kSuperuser, "-d", kSuperuser, "-t", "2"},
         usual_environment()});
    command.deadline = Milliseconds{5'000};
    return run(command).ok();
  }

  std::vector<std::string> databases(const Server& server) const override {
    return lines_of(sql(server,
                        "SELECT datname FROM pg_database WHERE NOT datistemplate AND datname <> 'postgres'"
                        " AND datname NOT LIKE '%..%'"
                        " ORDER BY datname;\n"));
  }

  void open_account(const Server& server, const ServiceAccount& account) const override {
    const auto role = identifier(account.role);
    const auto database = identifier(account.database);
    auto script = fmt::format(
        "SELECT 'CREATE ROLE {0}' WHERE NOT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = {1}) \\gexec\n"
        "ALTER ROLE {0} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION PASSWORD {2};\n",
        role, literal(account.role), literal(account.password.reveal()));
    script += fmt::format(
        "SELECT 'CREATE DATABASE {0} OWNER {1}' WHERE NOT EXISTS (SELECT 1 FROM pg_database WHERE datname = {2})"
        " \\gexec\nREVOKE ALL ON DATABASE {0} FROM PUBLIC;\n"
        // What either of them makes belongs to both.
        "SELECT format('GRANT %1$I TO {1}; ALTER ROLE {1} IN DATABASE {0} SET role TO %1$I', pg_get_userbyid(datdba))"
        " FROM pg_database WHERE datname = {2} AND pg_get_userbyid(datdba) <> {3} \\gexec\n",
        identifier(account.database), role, literal(account.database), literal(account.role));
    sql(server, script);
  }

  void make_database(const Server& server, const std::string& database,
                     const std::vector<std::string>& roles) const override {
    const auto name = identifier(database), owner = roles.empty() ? database : roles.front();
    auto script = fmt::format(
        "SELECT 'CREATE ROLE {0} NOLOGIN' WHERE NOT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = {1}) \\gexec\n"
        "SELECT 'CREATE DATABASE {2} OWNER {0}' WHERE NOT EXISTS (SELECT 1 FROM pg_database WHERE datname = {3})"
        " \\gexec\nREVOKE ALL ON DATABASE {2} FROM PUBLIC;\n",
        identifier(owner), literal(owner), name, literal(database));
    for (const auto& role : roles) {
      if (role == owner) continue;
      script += fmt::format("GRANT {0} TO {1};\nALTER ROLE {1} IN DATABASE {2} SET role TO {0};\n", identifier(owner),
                            identifier(role), name);
    }
    sql(server, script);
  }

  void close_account(const Server& server, const ServiceAccount& account, bool with_database) const override {
    const auto role = identifier(account.role);
    auto script = fmt::format(
        "SELECT 'ALTER ROLE {0} NOLOGIN PASSWORD NULL' WHERE EXISTS (SELECT 1 FROM pg_roles WHERE rolname = {1})"
        " \\gexec\nSELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = {1};\n",
        role, literal(account.role));
    if (with_database) {
      script += fmt::format("DROP DATABASE IF EXISTS {} WITH (FORCE);\nDROP ROLE IF EXISTS {};\n",
                            identifier(account.database), role);
    }
    sql(server, script);
  }

  std::map<std::string, Variable> variables(const ServiceAccount& account, const std::string& prefix) const override {
    const auto& password = account.password.reveal();
    const auto url = account.port ? fmt::format("postgresql://{}:{}@127.0.0.1:{}/{}", account.role, password,
                                                *account.port, account.database)
                                  : fmt::format("postgresql://{}:{}@/{}?host={}", account.role, password,
                                                account.database, account.directory);
    std::map<std::string, Variable> variables{{prefix + "_URL", {url, true}}};
    if (prefix != this->prefix()) return variables;
    if (account.port) {
      variables = jdbc_variables("postgresql", account);
      variables[prefix + "_URL"] = {url, true};
      variables["PGPORT"] = {std::to_string(*account.port)};
    }
    variables["PGHOST"] = {account.port ? "127.0.0.1" : account.directory};
    variables["PGUSER"] = {account.role};
    variables["PGPASSWORD"] = {password, true};
    variables["PGDATABASE"] = {account.database};
    return variables;
  }

  ServiceClient dump(const Server& server, const std::string& database) const override {
    return {{server.program("pg_dump"), "-Fc", "--dbname", database}, client_environment(server)};
  }

  // Into a new database, which then changes its name. What a kill leaves has a name of its own and goes with the next.
  void restore(const Server& server, const std::string& database, int input) const override {
    const auto name = identifier(database), fresh = identifier(database + kImport), old = identifier(database + kOld);
    const auto owner = lines_of(sql(server, fmt::format("SELECT pg_get_userbyid(datdba) FROM pg_database"
                                                        " WHERE datname = {};\n",
                                                        literal(database))));
    if (owner.size() != 1) throw UserError(fmt::format("there is no database {}", quoted(database)));
    const auto drop =
        fmt::format("DROP DATABASE IF EXISTS {} WITH (FORCE);\nDROP DATABASE IF EXISTS {} WITH (FORCE);\n", fresh, old);
    sql(server, drop + fmt::format("CREATE DATABASE {0} OWNER {1};\nREVOKE ALL ON DATABASE {0} FROM PUBLIC;\n", fresh,
                                   identifier(owner.front())));
    try {
      feed_service_tool(server,
                        {{server.program("pg_restore"), "--exit-on-error", "--no-owner", "--no-acl", "--role",
                          owner.front(), "--dbname", database + kImport},
                         client_environment(server)},
                        input);
      // The renaming waits some seconds for connections to end.
      sql(server, fmt::format("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname IN ({0}, {1});\n"
                              "BEGIN;\nALTER DATABASE {2} RENAME TO {4};\nALTER DATABASE {3} RENAME TO {2};\nCOMMIT;\n",
                              literal(database), literal(database + kImport), name, fresh, old));
    } catch (const Error&) {
      sql(server, drop);
      throw;
    }
    sql(server, drop);
  }

  bool takes_data_over() const override { return false; }

  // By the tools of the newer server, which read the older one's, too.
  void copy_all(const Server& from, const Server& to) const override {
    std::string roles;
    for (const auto& line :
         lines_of(run_service_tool(from, {{to.program("pg_dumpall"), "--roles-only"}, client_environment(from)}))) {
      if (line != fmt::format("CREATE ROLE {};", kSuperuser) &&
          !line.starts_with(fmt::format("ALTER ROLE {} ", kSuperuser)))
        roles += line + "\n";
    }
    sql(to, roles);
    for (const auto& database : databases(from)) {
      PipedTool dump(from, {{to.program("pg_dump"), "-Fc", "--dbname", database}, client_environment(from)});
      feed_service_tool(
          to,
          {{to.program("pg_restore"), "--create", "--exit-on-error", "--dbname", kSuperuser}, client_environment(to)},
          dump.output());
      dump.check();
    }
  }

  void admit_apps(const Server& server, bool admitted) const override {
    const auto file = server.platform.layout.service_data(server.service.name) / "pg_hba.conf";
    const auto* content = admitted ? kClientAuthentication : kAdministratorAlone;
    if (read_file(file) == content) return;
    write_file(file, content);
    if (!answers(server)) return;
    sql(server, fmt::format("SELECT pg_reload_conf();\n{}",
                            admitted ? ""
                                     : fmt::format("SELECT pg_sleep(0.5);\nSELECT pg_terminate_backend(pid, 5000) FROM"
                                                   " pg_stat_activity WHERE usename <> {};\n",
                                                   literal(kSuperuser))));
  }

  // Its log of changes may have grown to a multiple of what it keeps, until the next checkpoint.
  void make_room(const Server& server) const override { sql(server, "CHECKPOINT;\n"); }

  // This is how an app can delete what it does not need.
  bool may_insist() const override { return true; }
  void set_read_only(const Server& server, bool read_only) const override {
    const auto file = server.platform.layout.service_data(server.service.name) / "postgresql.auto.conf";
    const bool is_now = read_file(file).value_or("").find(kReadOnly) != std::string::npos;
    if (is_now == read_only) return;
    sql(server, fmt::format("ALTER SYSTEM {};\nSELECT pg_reload_conf();\n",
                            read_only ? fmt::format("SET {} = on", kReadOnly) : fmt::format("RESET {}", kReadOnly)));
  }

  ServiceClient console(const Server& server, const std::string& database) const override {
    auto environment = client_environment(server);
    if (!database.empty()) environment["PGDATABASE"] = database;
    return {{server.program("psql")}, environment};
  }

  Environment client_environment(const Server& server) const override {
    auto environment = usual_environment();
    environment["PATH"] = server.installed.programs.native() + ":/usr/bin:/bin";
    environment["PGHOST"] = kServiceSocket;
    environment["PGUSER"] = kSuperuser;
    environment["PGDATABASE"] = kSuperuser;
    environment["PGPASSWORD"] = server.password.reveal();
    environment["PGOPTIONS"] = fmt::format("-c {}=off", kReadOnly);
    return environment;
  }

 private:
  std::string sql(const Server& server, const std::string& script) const {
    return run_service_tool(
        server, {{server.program("psql"), "-XqAt", "-v", "ON_ERROR_STOP=1", "-f", "-"}, client_environment(server)},
        script);
  }
};

}  // namespace

const ServiceType& postgres_type() {
  static const Postgres kType;
  return kType;
}

}  // namespace pushrod
