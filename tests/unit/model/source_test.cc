// Build roots and manifests, as paths of a repo.
#include "model/source.hh"

#include <gtest/gtest.h>

#include "base/error.hh"

namespace pushrod {
namespace {

Source source(const std::string& path, std::optional<std::string> root = {}) {
  return {RepoName::parse("site"), BranchName::parse("main"), path, "", std::move(root)};
}

std::string refused(const std::string& text, const std::string& path, BuildRootForm form) {
  try {
    return "accepted: " + parse_build_root(text, path, form);
  } catch (const UserError& error) {
    return error.message();
  }
}

TEST(BuildRoot, IsTheAppsOwnDirectoryUnlessOneIsChosen) {
  EXPECT_EQ(root_of(source("apps/web")), "apps/web");
  EXPECT_EQ(directory_in_sandbox(source("apps/web")), "/app");
  EXPECT_EQ(directory_in_sandbox(source("")), "/app");
  EXPECT_EQ(directory_in_sandbox(source("apps/web", "apps/web")), "/app");
}

TEST(BuildRoot, LiesAboveTheAppsDirectory) {
  EXPECT_EQ(root_of(source("apps/web", "")), "");
  EXPECT_EQ(path_in_root(source("apps/web", "")), "apps/web");
  EXPECT_EQ(path_in_root(source("apps/web", "apps")), "web");
  EXPECT_EQ(directory_in_sandbox(source("apps/web", "")), "/app/apps/web");
}

TEST(BuildRoot, IsWrittenRelativeToThePath) {
  for (const auto form : {BuildRootForm::RelativeToPath, BuildRootForm::InRepo}) {
    EXPECT_EQ(parse_build_root("..", "apps/web", form), "apps");
    EXPECT_EQ(parse_build_root("../", "apps/web", form), "apps");
    EXPECT_EQ(parse_build_root("../..", "apps/web", form), "");
    EXPECT_EQ(refused("../../..", "apps/web", form), "build root \"../../..\" is above the root of the repo");
    EXPECT_EQ(refused("..", "", form), "build root \"..\" is above the root of the repo");
    EXPECT_EQ(refused("../api", "apps/web", form),
              "build root \"../api\" does not contain the app's path \"apps/web\"");
  }
  EXPECT_EQ(parse_build_root(".", "apps/web", BuildRootForm::RelativeToPath), "apps/web");
  EXPECT_EQ(refused("", "apps/web", BuildRootForm::RelativeToPath), "a build root cannot be empty");
}

TEST(BuildRoot, AnOperatorMayNameADirectoryOfTheRepo) {
  EXPECT_EQ(parse_build_root(".", "apps/web", BuildRootForm::InRepo), "");
  EXPECT_EQ(parse_build_root("apps", "apps/web", BuildRootForm::InRepo), "apps");
  EXPECT_EQ(parse_build_root("apps/web", "apps/web", BuildRootForm::InRepo), "apps/web");
  for (const std::string other : {"app", "apps/we", "apps/web/src", "services"}) {
    EXPECT_EQ(refused(other, "apps/web", BuildRootForm::InRepo),
              "build root \"" + other + "\" does not contain the app's path \"apps/web\"");
  }
}

TEST(Manifest, IsPushrodTomlInTheAppsDirectoryUnlessAnotherIsChosen) {
  EXPECT_EQ(manifest_of(source("")), "pushrod.toml");
  EXPECT_EQ(manifest_of(source("apps/web", "")), "apps/web/pushrod.toml");
  auto chosen = source("apps/web");
  chosen.config = "deploy/web.toml";
  EXPECT_EQ(manifest_of(chosen), "deploy/web.toml");
}

TEST(Manifest, IsAFileOfTheRepo) {
  EXPECT_EQ(parse_config_path("deploy/web.toml"), "deploy/web.toml");
  for (const std::string wrong : {"", "/etc/passwd", "../web.toml", "deploy/", "a//b"}) {
    EXPECT_THROW(parse_config_path(wrong), UserError) << wrong;
  }
}

}  // namespace
}  // namespace pushrod
