// Imports in the database.
#include <gtest/gtest.h>

#include "fixture.hh"

namespace pushrod {
namespace {

class ImportsTest : public StoreTest {};

TEST_F(ImportsTest, ARowSaysWhatThereMayBeOfAnImport) {
  const auto id = store().begin_import("17.1", RepoName::parse("code"), true);
  ASSERT_EQ(store().imports().size(), 1U);
  EXPECT_FALSE(store().imports().front().app);
  const auto app = add_app("blog");
  store().set_import_app(id, app.id);
  store().set_import_certificates(id, {HostName::parse("a.example.com"), HostName::parse("*.example.com")});
  const auto import = store().imports().front();
  EXPECT_EQ(import.transfer, "17.1");
  EXPECT_EQ(import.repo.str(), "code");
  EXPECT_TRUE(import.makes_repo);
  EXPECT_EQ(import.app, app.id);
  EXPECT_EQ(import.certificates.size(), 2U);
  store().end_import(id);
  EXPECT_TRUE(store().imports().empty());
}

TEST_F(ImportsTest, AnAppThatIsNotDeployedCanBeMadeAStoppedOne) {
  const auto app = add_app("blog");
  store().set_stopped(app.id, true);
  EXPECT_TRUE(store().app(app.id)->stopped);
}

}  // namespace
}  // namespace pushrod
