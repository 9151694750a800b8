// What each type says of itself: pure, without a server.
#include <gmock/gmock.h>

#include <csignal>

#include "../deploy/fake_services.hh"
#include "base/error.hh"
#include "os/files.hh"
#include "services/disk_limits.hh"
#include "services/ports.hh"
#include "services/services.hh"

namespace pushrod {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::Not;

class Types : public testing::Test {
 protected:
  ~Types() override { remove_tree(root_); }
  BackingService service_of(const ServiceType& type, const std::string& version) {
    return {.id = 1,
            .name = ServiceName::parse("shop-db"),
            .type = std::string(type.name()),
            .version = version,
            .memory = std::uint64_t{256} << 20};
  }
  ServicePlan plan_for(const BackingService& service) {
    const ServicePlatform platform{layout_, settings_, store_, engine_};
    return plan_of({platform, service, {service.version, "/programs"}, Secret("s3cret")});
  }
  ServicePlan plan_of_type(const ServiceType& type, const std::string& version) {
    return plan_for(service_of(type, version));
  }

  fs::path root_ = [] {
    std::string path = fs::temp_directory_path() / "services.XXXXXX";
    return fs::path(mkdtemp(path.data()));
  }();
  Layout layout_{root_};
  Settings settings_;
  Store store_{layout_.database()};
  FakeServices engine_;
};

TEST_F(Types, NoServerListensOnTcpOrShowsItsPassword) {
  const auto postgres = plan_of_type(postgres_type(), "15");
  EXPECT_THAT(postgres.argv, Contains("listen_addresses="));
  EXPECT_THAT(postgres.argv, Contains("unix_socket_directories=/socket"));
  const auto redis = plan_of_type(redis_type(), "redis-7");
  const auto port = std::ranges::find(redis.argv, "--port");
  ASSERT_NE(port, redis.argv.end());
  EXPECT_EQ(*(port + 1), "0");
  const auto mariadb = plan_of_type(mariadb_type(), "10.11");
  EXPECT_THAT(mariadb.argv, Contains("--skip-networking"));
  const auto memcached = plan_of_type(memcached_type(), "1");
  EXPECT_THAT(memcached.argv, Contains("--unix-socket"));  // which turns the network off
  for (const auto& plan : {postgres, redis, mariadb}) EXPECT_THAT(plan.argv, Not(Contains(HasSubstr("s3cret"))));
}

TEST_F(Types, MemoryIsDividedAsTheServerNeedsIt) {
  EXPECT_THAT(plan_of_type(postgres_type(), "15").argv, Contains("shared_buffers=64MB"));
  EXPECT_THAT(plan_of_type(redis_type(), "redis-7").argv, Contains("201326592"));
}

TEST_F(Types, ADiskLimitBoundsTheLogOfPostgresAndComesFromTheOperatorIfTheServiceHasNone) {
  const auto plain = plan_of_type(postgres_type(), "15");
  EXPECT_THAT(plain.argv, Not(Contains(HasSubstr("max_wal_size"))));
  auto service = service_of(postgres_type(), "15");
  service.disk = std::uint64_t{2} << 30;
  EXPECT_THAT(plan_for(service).argv, Contains("max_wal_size=256MB"));
  settings_.service_disk = std::uint64_t{128} << 20;
  EXPECT_THAT(plan_of_type(postgres_type(), "15").argv, Contains("max_wal_size=32MB"));
  EXPECT_EQ(disk_limit(settings_, service), std::uint64_t{2} << 30);
  EXPECT_EQ(disk_limit(settings_, service_of(memcached_type(), "1")), 0u) << "which keeps nothing";
}

TEST_F(Types, AServerThatIsOverItsDiskLimitStartsReadOnly) {
  auto mariadb = service_of(mariadb_type(), "10.11"), redis = service_of(redis_type(), "redis-7");
  mariadb.over_disk = redis.over_disk = 1;
  EXPECT_THAT(plan_for(mariadb).argv, Contains("--read-only"));
  EXPECT_THAT(plan_for(redis).argv, Contains("1"));
  EXPECT_THAT(plan_of_type(mariadb_type(), "10.11").argv, Not(Contains("--read-only")));
  EXPECT_THAT(plan_of_type(redis_type(), "redis-7").argv, Not(Contains("1")));
}

TEST_F(Types, ALimitOfProcessorsIsInThePlanOfEveryType) {
  for (const auto* type : service_types()) {
    auto service = service_of(*type, "1");
    EXPECT_FALSE(plan_for(service).limits.cpu_percent.has_value());
    service.cpu_percent = 50;
    EXPECT_EQ(plan_for(service).limits.cpu_percent, 50u);
  }
}

TEST_F(Types, TheDiskLimitIsToldWithWhatToDo) {
  auto service = service_of(postgres_type(), "15");
  service.disk = 1'000'000'000;
  EXPECT_EQ(disk_problem(settings_, service), "");
  service.over_disk = 1'100'000'000;
  service.state = ServiceState::Running;
  EXPECT_EQ(disk_problem(settings_, service),
            "its data takes 1.1 GB, and its limit is 1.0 GB: it is read-only until 5 % of that are free. Delete data "
            "(service console shop-db), or allow it more (service limit shop-db --disk 3G)");
  service.state = ServiceState::Stopped;
  EXPECT_THAT(disk_problem(settings_, service), HasSubstr("it is stopped. Allow it more"));
  service.disk = 2'000'000'000;
  EXPECT_EQ(disk_problem(settings_, service), "");
}

TEST_F(Types, PostgresEndsWithItsFastSignalAndRedisByTheProgramOfItsFlavour) {
  EXPECT_EQ(plan_of_type(postgres_type(), "15").stop_signal, SIGINT);
  EXPECT_EQ(plan_of_type(postgres_type(), "15").second_stop_signal, SIGQUIT);
  EXPECT_EQ(plan_of_type(redis_type(), "valkey-8").argv.front(), "/programs/valkey-server");
}

TEST_F(Types, TheVariablesNameTheSocketAndHideThePassword) {
  const ServiceAccount account{"shop", "shop", Secret("pw"), "/services/db"};
  const auto variables = postgres_type().variables(account, "DATABASE");
  EXPECT_EQ(variables.at("DATABASE_URL").value, "postgresql://shop:pw@/shop?host=/services/db");
  EXPECT_TRUE(variables.at("DATABASE_URL").secret);
  EXPECT_TRUE(variables.at("PGPASSWORD").secret);
  EXPECT_EQ(variables.at("PGHOST").value, "/services/db");
  // A second database of an app leaves the first one's variables alone.
  EXPECT_EQ(postgres_type().variables(account, "REPORTS").size(), 1u);
  EXPECT_EQ(redis_type().variables(account, "REDIS").at("REDIS_URL").value,
            "unix://shop:pw@/services/db/redis.sock?db=0");
}

TEST_F(Types, TheVariablesOfMariaDbSuitClientsThatNameTheSocketDifferently) {
  const ServiceAccount account{"shop", "shop", Secret("pw"), "/services/db"};
  const auto variables = mariadb_type().variables(account, "DATABASE");
  const std::string url = "mysql://shop:pw@localhost/shop?", socket = "/services/db/mysqld.sock";
  EXPECT_EQ(variables.at("DATABASE_URL").value, url + "unix_socket=" + socket);  // SQLAlchemy, Django, Laravel
  EXPECT_EQ(variables.at("MYSQL_URL").value, url + "socketPath=" + socket);      // mysql2 of Node.js
  EXPECT_EQ(variables.at("MYSQL_UNIX_PORT").value, socket);                      // libmysqlclient, libmariadb
  EXPECT_EQ(variables.at("DB_SOCKET").value, socket);                            // Laravel
  for (const auto* name : {"DATABASE_URL", "MYSQL_URL", "MYSQL_PASSWORD", "DB_PASSWORD"}) {
    EXPECT_TRUE(variables.at(name).secret) << name;
  }
  EXPECT_EQ(mariadb_type().variables(account, "REPORTS").size(), 1u);
}

TEST_F(Types, OverTcpTheVariablesNameThePortAndNoSocket) {
  const ServiceAccount account{"shop", "shop", Secret("pw"), "/services/db", Port{20'001}};
  for (const auto* type : {&postgres_type(), &mariadb_type(), &redis_type()}) {
    const auto variables = type->variables(account, std::string(type->prefix()));
    for (const auto& [name, variable] : variables) {
      EXPECT_THAT(variable.value, Not(HasSubstr("/services/"))) << name;
      EXPECT_EQ(variable.secret, variable.value.find("pw") != std::string::npos) << name;
    }
    EXPECT_THAT(variables.at(std::string(type->prefix()) + "_URL").value, HasSubstr("://shop:pw@127.0.0.1:20001/"));
    EXPECT_EQ(type->variables(account, "OTHER").count("JDBC_DATABASE_URL"), 0u);
  }
  EXPECT_EQ(postgres_type().variables(account, "DATABASE").at("PGPORT").value, "20001");
  EXPECT_EQ(postgres_type().variables(account, "DATABASE").at("JDBC_DATABASE_URL").value,
            "jdbc:postgresql://127.0.0.1:20001/shop?user=shop&password=pw");
  EXPECT_EQ(mariadb_type().variables(account, "DATABASE").at("MYSQL_TCP_PORT").value, "20001");
  EXPECT_EQ(redis_type().variables(account, "REDIS").at("REDIS_PORT").value, "20001");
}

TEST_F(Types, AServerWithoutPasswordsHasNoPort) { EXPECT_THROW(check_has_tcp(memcached_type()), UserError); }

TEST_F(Types, AServerThatIsNotInstalledIsNamedWithThePackageAndTheCommand) {
  try {
    require_server(postgres_type(), "99");
    FAIL();
  } catch (const UserError& error) {
    EXPECT_THAT(error.message(), HasSubstr("PostgreSQL 99 is not installed: it is in the package postgresql-99"));
    EXPECT_THAT(error.hint(), HasSubstr("systemctl mask postgresql; apt-get install -y postgresql-99"));
  }
}

TEST_F(Types, AnUnknownTypeIsAnsweredWithThoseThatThereAre) {
  try {
    require_service_type("oracle");
    FAIL();
  } catch (const UserError& error) {
    EXPECT_THAT(error.hint(), HasSubstr("postgres, mariadb, redis, memcached"));
  }
}

TEST_F(Types, PasswordsHave256BitsAndAreNeverTheSame) {
  EXPECT_EQ(random_password().reveal().size(), 64u);
  EXPECT_NE(random_password().reveal(), random_password().reveal());
}

TEST_F(Types, TooLittleMemoryIsRefused) {
  ASSERT_FALSE(postgres_type().installed().empty()) << "script/install-packages --test installs PostgreSQL";
  EXPECT_THROW(planned_service({.name = ServiceName::parse("db"), .type = "postgres", .memory = 1 << 20}), UserError);
  EXPECT_THROW(planned_service({.name = ServiceName::parse("db"), .type = "postgres", .disk = 1 << 20}), UserError);
}

}  // namespace
}  // namespace pushrod
