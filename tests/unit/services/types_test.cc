// What each type says of itself: pure, without a server.
#include <gmock/gmock.h>

#include <csignal>

#include "../deploy/fake_services.hh"
#include "base/error.hh"
#include "os/files.hh"
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
  ServicePlan plan_of(const ServiceType& type, const std::string& version) {
    const BackingService service{.id = 1,
                                 .name = ServiceName::parse("shop-db"),
                                 .type = std::string(type.name()),
                                 .version = version,
                                 .memory = std::uint64_t{256} << 20};
    const ServicePlatform platform{layout_, settings_, store_, engine_};
    return type.plan({platform, service, {version, "/programs"}, Secret("s3cret")});
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
  const auto postgres = plan_of(postgres_type(), "15");
  EXPECT_THAT(postgres.argv, Contains("listen_addresses="));
  EXPECT_THAT(postgres.argv, Contains("unix_socket_directories=/socket"));
  const auto redis = plan_of(redis_type(), "redis-7");
  const auto port = std::ranges::find(redis.argv, "--port");
  ASSERT_NE(port, redis.argv.end());
  EXPECT_EQ(*(port + 1), "0");
  const auto mariadb = plan_of(mariadb_type(), "10.11");
  EXPECT_THAT(mariadb.argv, Contains("--skip-networking"));
  const auto memcached = plan_of(memcached_type(), "1");
  EXPECT_THAT(memcached.argv, Contains("--unix-socket"));  // which turns the network off
  for (const auto& plan : {postgres, redis, mariadb}) EXPECT_THAT(plan.argv, Not(Contains(HasSubstr("s3cret"))));
}

TEST_F(Types, MemoryIsDividedAsTheServerNeedsIt) {
  EXPECT_THAT(plan_of(postgres_type(), "15").argv, Contains("shared_buffers=64MB"));
  EXPECT_THAT(plan_of(redis_type(), "redis-7").argv, Contains("201326592"));
}

TEST_F(Types, PostgresEndsWithItsFastSignalAndRedisByTheProgramOfItsFlavour) {
  EXPECT_EQ(plan_of(postgres_type(), "15").stop_signal, SIGINT);
  EXPECT_EQ(plan_of(postgres_type(), "15").second_stop_signal, SIGQUIT);
  EXPECT_EQ(plan_of(redis_type(), "valkey-8").argv.front(), "/programs/valkey-server");
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
}

}  // namespace
}  // namespace pushrod
