// Backups in the database.
#include <gtest/gtest.h>

#include "base/error.hh"
#include "fixture.hh"

namespace pushrod {
namespace {

const BackupSubject kShop = BackupSubject::of(AppName::parse("shop"));

class BackupsTest : public StoreTest {
 protected:
  BackupsTest() { store().add_backup_target({"disk", "/backup", "sealed", now()}); }
};

TEST_F(BackupsTest, ATargetGoesWithItsSchedules) {
  EXPECT_THROW(store().add_backup_target({"disk", "/other", "", now()}), UserError);
  store().set_backup_schedule({{}, "disk", "@daily", {3, std::chrono::hours(24)}, now()});
  store().set_backup_schedule({kShop, "disk", "@hourly", {}, now()});
  store().set_backup_schedule({kShop, "disk", "@weekly", {}, now()});
  ASSERT_EQ(store().backup_schedules().size(), 2U);
  EXPECT_EQ(store().backup_schedules()[0].retention.age, std::chrono::hours(24));
  EXPECT_EQ(store().backup_schedules()[1].schedule, "@weekly");
  store().remove_backup_schedule(kShop);
  EXPECT_EQ(store().backup_schedules().size(), 1U);
  store().remove_backup_target("disk");
  EXPECT_TRUE(store().backup_targets().empty() && store().backup_schedules().empty());
}

TEST_F(BackupsTest, ARunThatHasNotEndedWasKilledWhenTheNextBegins) {
  const auto first = store().begin_backup(kShop, "disk");
  EXPECT_FALSE(store().backup_runs(kShop).front().ended);
  const auto second = store().begin_backup(kShop, "disk");
  store().end_backup(second, 1000, "");
  const auto runs = store().backup_runs(kShop);
  ASSERT_EQ(runs.size(), 2U);
  EXPECT_TRUE(runs[0].is_good());
  EXPECT_EQ(runs[0].bytes, 1000U);
  EXPECT_EQ(runs[1].id, first);
  EXPECT_TRUE(runs[1].ended && runs[1].error.starts_with("interrupted"));
}

TEST_F(BackupsTest, TheLastGoodRunIsNeverForgotten) {
  const auto good = store().begin_backup(kShop, "disk");
  store().end_backup(good, 1, "");
  for (int count = 0; count < 60; ++count) store().end_backup(store().begin_backup(kShop, "disk"), 0, "no");
  const auto runs = store().backup_runs(kShop);
  EXPECT_LT(runs.size(), 60U);
  EXPECT_EQ(runs.back().id, good);
}

TEST_F(BackupsTest, RunsOfAnAppAndOfAServiceOfThatNameAreApart) {
  const auto service = BackupSubject::of(ServiceName::parse("shop"));
  store().end_backup(store().begin_backup(kShop, "disk"), 1, "");
  store().end_backup(store().begin_backup(service, "disk"), 2, "");
  ASSERT_EQ(store().backup_runs(service).size(), 1U);
  EXPECT_EQ(store().backup_runs(service).front().of, service);
  EXPECT_EQ(store().backup_runs(kShop).front().bytes, 1U);
  store().set_backup_schedule({service, "disk", "@daily", {}, now()});
  EXPECT_EQ(store().backup_schedules().front().of, service);
}

TEST_F(BackupsTest, CredentialsOpenForTheirTargetAlone) {
  const auto sealed = store().vault().seal_target("disk", "geheim");
  EXPECT_EQ(store().vault().open_target("disk", sealed).reveal(), "geheim");
  EXPECT_THROW(store().vault().open_target("other", sealed), UserError);
  EXPECT_NE(Vault::random_password(), Vault::random_password());
  EXPECT_EQ(Vault::random_password().size(), 71U);
}

}  // namespace
}  // namespace pushrod
