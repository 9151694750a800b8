// Databases that an earlier Pushrod wrote.
#include <gmock/gmock.h>
#include <sqlite3.h>

#include "fixture.hh"

namespace pushrod {
namespace {

using testing::ElementsAre;

class Migration : public StoreTest {
 protected:
  void write_database(const std::string& golden) {
    sqlite3* database = nullptr;
    ASSERT_EQ(sqlite3_open(file().c_str(), &database), SQLITE_OK);
    const auto script = read_file(std::filesystem::path(PUSHROD_GOLDEN_DIR) / golden).value();
    char* problem = nullptr;
    EXPECT_EQ(sqlite3_exec(database, script.c_str(), nullptr, nullptr, &problem), SQLITE_OK) << problem;
    sqlite3_close(database);
  }
};

TEST_F(Migration, OfTheFirstSchemaKeepsAllThatItHolds) {
  write_database("schema1.sql");
  const auto blog = store().app(app_name("blog")).value();
  EXPECT_EQ(blog.live, 2U);
  EXPECT_FALSE(blog.stopped);
  EXPECT_EQ(store().app(app_name("docs"))->path, "manual");
  const auto deployments = store().deployments(blog.id, 10);
  ASSERT_EQ(deployments.size(), 2U);
  EXPECT_EQ(deployments.front().kind, DeploymentKind::Restart);
  EXPECT_EQ(deployments.front().author, "bob");
  EXPECT_EQ(deployments.back().steps.size(), 1U);
  const auto release = store().release(blog.id, 2).value();
  EXPECT_EQ(release.environment.at("VIRTUAL_ENV"), "/venv");
  EXPECT_EQ(release.processes.size(), 1U);
  EXPECT_EQ(release.source, blog.source());
  EXPECT_TRUE(release.writable.empty());
  EXPECT_TRUE(release.host_mounts.empty());
  EXPECT_EQ(release.mounts, (ReleaseMounts{{"venv", "/venv", Access::Write, Access::Read}}));
  EXPECT_TRUE(store().release(blog.id, 1)->mounts.empty()) << "its environment names no virtualenv";
  EXPECT_EQ(state_of("blog.2.web.1"), InstanceState::Serving);
  EXPECT_EQ(store().instances().front().app_id, blog.id);
  EXPECT_EQ(store().instances().front().port, 20001);
  EXPECT_EQ(store().integrity(), "ok");
}

TEST_F(Migration, OfTheFirstSchemaGivesKeysTheirRoles) {
  write_database("schema1.sql");
  const auto keys = store().keys();
  ASSERT_EQ(keys.size(), 2U);
  EXPECT_TRUE(keys.front().is_admin());
  EXPECT_EQ(keys.back().role, Role::Deploy);
  EXPECT_THAT(keys.back().apps, ElementsAre(app_name("blog")));
}

TEST_F(Migration, LeavesADatabaseThatCanBeUsedLikeANewOne) {
  write_database("schema1.sql");
  const auto blog = store().app(app_name("blog")).value();
  deploy({blog});
  EXPECT_EQ(store().app(blog.id)->live, 3U);
  // What deletes rows of other tables with it still does.
  store().remove_instances({instance("blog.2.web.1"), instance("blog.3.web.1")});
  store().remove_app(blog.id);
  EXPECT_EQ(store().deployments(blog.id, 10).size(), 0U);
  EXPECT_TRUE(store().unfinished_deployments().empty());
  EXPECT_EQ(store().integrity(), "ok");
}

TEST_F(Migration, ForgetsTheCommandsOfJobsThatWereKeptInTheClear) {
  write_database("schema4.sql");
  const auto holds = [&](const std::filesystem::path& path) {
    return read_file(path).value_or("").find("kieselstein") != std::string::npos;
  };
  ASSERT_TRUE(holds(file()));
  const auto running = store().running_jobs();
  ASSERT_EQ(running.size(), 1U);
  EXPECT_EQ(running.front().short_name(), "run.2");
  EXPECT_TRUE(store().job_command(running.front()).empty());
  EXPECT_EQ(store().jobs(running.front().app_id, "run", 10).size(), 2U);
  EXPECT_EQ(store().integrity(), "ok");
  for (const auto& entry : std::filesystem::directory_iterator(directory_)) {
    EXPECT_FALSE(holds(entry.path())) << entry.path();
  }
}

}  // namespace
}  // namespace pushrod
