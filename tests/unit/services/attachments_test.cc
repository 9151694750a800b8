// Names of accounts and databases, and which settings belong to a service.
#include "services/attachments.hh"

#include <gmock/gmock.h>

#include "base/error.hh"

namespace pushrod {
namespace {

TEST(Attachments, ADatabaseIsCalledAsServersTakeIt) {
  EXPECT_EQ(database_name("shop-2"), "shop_2");
  for (const char* refused : {"", "postgres", "template1", "pg_shop", "2shop", "Shop", "a;b", "a\"b", "a'b"}) {
    EXPECT_THROW(database_name(refused), UserError) << refused;
  }
}

TEST(Attachments, APrefixIsTheTypesOrOneThatSettingsMayHave) {
  EXPECT_EQ(prefix_for(postgres_type(), ""), "DATABASE");
  EXPECT_EQ(prefix_for(redis_type(), "QUEUE"), "QUEUE");
  EXPECT_THROW(prefix_for(redis_type(), "A-B"), UserError);
}

TEST(Attachments, DetachingTakesAwayWhatCameFromTheServiceAndNothingElse) {
  const auto own = SettingName::parse("GREETING"), given = SettingName::parse("DATABASE_URL");
  const AppSettings settings{{own, {"sealed", false, 0}}, {given, {"sealed", true, 7}}};
  EXPECT_EQ(without_service(settings, 7), (SettingChanges{{given, std::nullopt}}));
  EXPECT_TRUE(without_service(settings, 8).empty());
}

}  // namespace
}  // namespace pushrod
