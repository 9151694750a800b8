// What backups are of.
#include "model/backup.hh"

#include <gtest/gtest.h>

#include "base/error.hh"

namespace pushrod {
namespace {

TEST(BackupSubject, HasAKeyInRowsThatLeadsBackToIt) {
  const BackupSubject platform, app = BackupSubject::of(AppName::parse("main")),
                                service = BackupSubject::of(ServiceName::parse("main"));
  EXPECT_EQ(key_of(platform), "");
  EXPECT_EQ(key_of(app), "main");  // as rows had it before there were services
  EXPECT_EQ(key_of(service), "service:main");
  for (const auto& subject : {platform, app, service}) EXPECT_EQ(subject_from_key(key_of(subject)), subject);
  EXPECT_THROW(AppName::parse(key_of(service)), UserError);
}

TEST(BackupSubject, IsShownToPeople) {
  EXPECT_EQ(shown(BackupSubject{}), "the platform");
  EXPECT_EQ(shown(BackupSubject::of(AppName::parse("shop"))), "shop");
  EXPECT_EQ(shown(BackupSubject::of(ServiceName::parse("main"))), "service main");
}

}  // namespace
}  // namespace pushrod
