// A type of service: what Pushrod must know of a server to run it. One file for each (postgres.cc, redis.cc, …) answers
// which packages it needs and how it is initialised, run, asked, given accounts, dumped and restored.
//
// A type has no state. What it does to a server it does by programs of the server's package, each in a sandbox beside
// the server (engine/service_engine.hh): a dump may hold commands that a client program carries out.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/secret.hh"
#include "model/service.hh"
#include "services/platform.hh"

namespace pushrod {

struct InstalledServer {
  std::string version;             // "15", "valkey-8"
  std::filesystem::path programs;  // their directory
};

// A service, with what it takes to work on it.
struct Server {
  const ServicePlatform& platform;
  BackingService service;
  InstalledServer installed;
  Secret password;  // of its administrator

  std::string program(std::string_view name) const { return (installed.programs / name).native(); }
};

// The database of an app, and the account with which it gets there.
struct ServiceAccount {
  std::string role, database;
  Secret password{std::string()};
  std::string directory{};     // of the socket, where the client runs
  std::optional<Port> port{};  // of 127.0.0.1, which the client is to use instead
};

// Words and environment of a client program.
struct ServiceClient {
  std::vector<std::string> argv;
  Environment environment;
};

class ServiceType {
 public:
  ServiceType() = default;
  ServiceType(const ServiceType&) = delete;
  ServiceType& operator=(const ServiceType&) = delete;
  virtual ~ServiceType() = default;

  virtual std::string_view name() const = 0;
  virtual std::string_view description() const = 0;  // "PostgreSQL", for people
  // Debian's package of the newest server, or of that version.
  virtual std::string package(const std::string& version = {}) const = 0;
  virtual std::string unit() const = 0;                        // with which Debian would start it
  virtual std::vector<InstalledServer> installed() const = 0;  // newest first
  virtual std::uint64_t usual_memory() const = 0;
  virtual std::uint64_t least_memory() const = 0;
  std::uint64_t least_disk() const { return std::uint64_t{has_databases() ? 128U : 16U} << 20; }  // for its data
  // What an app's settings begin with: "DATABASE", unless it is attached under another prefix.
  virtual std::string_view prefix() const = 0;
  virtual std::string_view socket_name() const = 0;  // in its directory
  // Do its accounts have a database each, unseen by the others? Otherwise one app alone can be attached.
  virtual bool has_databases() const = 0;
  // Otherwise it is empty after every start, and so is its dump.
  virtual bool keeps_data() const { return true; }

  virtual ServicePlan plan(const Server& server) const = 0;
  // Fills an empty directory. Whatever is in it after a failure is thrown away.
  virtual void initialise(const Server& server, const std::filesystem::path& data) const = 0;
  // Does it serve clients now?
  virtual bool answers(const Server& server) const = 0;

  virtual std::vector<std::string> databases(const Server& server) const = 0;
  // Makes the account and its database, or gives those that are there this password. What it makes in a database that
  // another account made belongs to both. Idempotent.
  virtual void open_account(const Server& server, const ServiceAccount& account) const = 0;
  // Makes the database where there is none, for these accounts, which exist; without any, for one that cannot log in.
  // Of types that have databases.
  virtual void make_database(const Server&, const std::string& /*database*/,
                             const std::vector<std::string>& /*roles*/) const {}
  // The account gets in no more, and its connections end. Its database stays, or goes, too. Idempotent.
  virtual void close_account(const Server& server, const ServiceAccount& account, bool with_database) const = 0;
  // The variables of an app with this account, by name: "DATABASE_URL". The value is a secret where `secret` says so.
  struct Variable {
    std::string value;
    bool secret = false;
  };
  virtual std::map<std::string, Variable> variables(const ServiceAccount& account, const std::string& prefix) const = 0;

  // A program that writes everything of the database (of types without databases: of the server) to its standard
  // output.
  virtual ServiceClient dump(const Server& server, const std::string& database) const = 0;
  // Reads such a dump in place of what the database holds: all of it, or nothing has changed and an Error says why.
  // Types that say so below do not have it.
  virtual void restore(const Server& server, const std::string& database, int input) const;
  // These read a dump into a new data directory, on which the server is started in place of the old one.
  virtual bool restores_into_directory() const { return false; }
  virtual void read_dump(const Server& server, int input, const std::filesystem::path& data) const;
  // Finishes or undoes what a killed process has left in the server. The caller holds the service's lock.
  virtual void recover(const Server&) const {}

  // Another major version of the server takes a data directory over by itself, once it was stopped. Otherwise a new
  // server gets all that is in the old one.
  virtual bool takes_data_over() const { return true; }
  // What a server that has taken data over must do once, while it runs. Idempotent.
  virtual void finish_takeover(const Server&) const {}
  // All accounts, with their passwords, and databases of the one to the other, which is new.
  virtual void copy_all(const Server& from, const Server& to) const;
  // Only the administrator gets in from now on, or apps as well. Of types that do not take data over.
  virtual void admit_apps(const Server&, bool) const {}

  // Gives back what it no longer needs on the disk, if that is done at once.
  virtual void make_room(const Server&) const {}
  // Apps cannot make the data larger, or can again; the administrator can at any time. A server that is started with a
  // row that is over its limit is read-only as well. Idempotent. Of types that keep data.
  virtual void set_read_only(const Server&, bool) const {}
  // A session of an app can write nevertheless, if it says so.
  virtual bool may_insist() const { return false; }

  // An interactive client as the administrator; `database` may be empty.
  virtual ServiceClient console(const Server& server, const std::string& database) const = 0;
  // Any program, with the variables by which clients find the server as its administrator.
  virtual Environment client_environment(const Server& server) const = 0;
};

// All types, in the order in which people see them.
const std::vector<const ServiceType*>& service_types();
// Throws UserError, which names the types that there are.
const ServiceType& require_service_type(const std::string& name);
// The server of this version, or the newest one (empty). Throws UserError when it is not installed, which names the
// package and the command that installs it without starting Debian's own server.
InstalledServer require_server(const ServiceType& type, const std::string& version);
// What the service's data may take, in bytes; 0: unlimited.
std::uint64_t disk_limit(const Settings& settings, const BackingService& service);
// Installs the package, and Debian does not start its server.
std::string install_command(const ServiceType& type, const std::string& version);

// Runs a tool beside the server. Throws Error when it fails, with its last lines. `data`: see ServiceTool.
std::string run_service_tool(const Server& server, const ServiceClient& client, const std::string& input = {},
                             const std::optional<std::filesystem::path>& data = {});

// The same with a descriptor as its input, for as long as it takes. Throws UserError when too little of the disk is
// left.
void feed_service_tool(const Server& server, const ServiceClient& client, int input,
                       const std::optional<std::filesystem::path>& data = {});

// Copies the data directory that `make` fills, which is done once for each type and version: the template is complete
// or not there.
void copy_template(const Server& server, const std::filesystem::path& data,
                   const std::function<void(const std::filesystem::path&)>& make);

// 256 random bits, as 64 hexadecimal digits.
Secret random_password();

// The variables by which JDBC finds a database over TCP, as on Heroku: JDBC_DATABASE_URL, ….
std::map<std::string, ServiceType::Variable> jdbc_variables(std::string_view scheme, const ServiceAccount& account);

// Throws UserError if it is not installed. `what`: what needs it.
void require_socat(std::string_view what);

// The types. Each in a file of its name.
const ServiceType& postgres_type();
const ServiceType& redis_type();
const ServiceType& mariadb_type();
const ServiceType& memcached_type();

}  // namespace pushrod
