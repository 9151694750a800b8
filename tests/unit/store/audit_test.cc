// The audit's rows, and changed keys.
#include <gtest/gtest.h>

#include "fixture.hh"

namespace pushrod {
namespace {

class StoredAudit : public StoreTest {
 protected:
  std::int64_t add(const std::string& app) {
    return store().begin_audit({.at = {},
                                .who = "ann",
                                .fingerprint = "SHA256:a",
                                .address = "local",
                                .app = app,
                                .action = "restart",
                                .detail = {},
                                .outcome = {}});
  }
  std::vector<AuditEntry> all(unsigned most = 100) {
    return store().audit(most, [](const AuditEntry&) { return true; });
  }
};

TEST_F(StoredAudit, IsReadNewestFirstUpToANumberOfThoseWanted) {
  add("a");
  add("b");
  add("a");
  const auto of_a = store().audit(1, [](const AuditEntry& entry) { return entry.app == "a"; });
  ASSERT_EQ(of_a.size(), 1u);
  EXPECT_EQ(of_a[0].id, 3);
  EXPECT_EQ(all().size(), 3u);
  EXPECT_EQ(all()[1].app, "b");
}

TEST_F(StoredAudit, AnOutcomeIsWrittenLater) {
  const auto first = add("a");
  add("b");
  store().end_audit(first, "done");
  EXPECT_EQ(all()[1].outcome, "done");
  EXPECT_EQ(all()[0].outcome, "");
}

TEST_F(StoredAudit, OldRowsGo) {
  for (int i = 0; i < 5; ++i) add("a");
  store().prune_audit(2);
  ASSERT_EQ(all().size(), 2u);
  EXPECT_EQ(all().back().id, 4);
  store().prune_audit(2);
  EXPECT_EQ(all().size(), 2u);
  EXPECT_EQ(add("a"), 6) << "no number comes twice";
}

TEST_F(StoredAudit, AKeysRoleAndAppsCanBeChanged) {
  add_app("blog");
  add_app("shop");
  const auto name = KeyName::parse("ann");
  const auto added = store().add_key(name, "ssh-ed25519 A", "SHA256:a", Role::Deploy, {app_name("blog")});
  const auto changed = store().set_key(name, Role::View, {app_name("shop")});
  EXPECT_EQ(changed.id, added.id);
  EXPECT_EQ(changed.role, Role::View);
  EXPECT_FALSE(changed.all_apps);
  EXPECT_EQ(changed.apps, std::vector{app_name("shop")});
  EXPECT_TRUE(store().set_key(name, Role::Admin, {}).is_admin());
  EXPECT_THROW(store().set_key(name, Role::View, {app_name("no")}), UserError);
  EXPECT_TRUE(store().keys().at(0).is_admin()) << "all or nothing";
  EXPECT_THROW(store().set_key(KeyName::parse("amy"), Role::View, {}), UserError);
}

}  // namespace
}  // namespace pushrod
