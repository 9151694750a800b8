// Whose sandbox it is: by what is mounted in it.
#include "serve/guard.hh"

#include <gtest/gtest.h>

namespace pushrod {
namespace {

std::string app_at(const std::string& device, const std::string& path) {
  const std::vector<DevicePath> parents = {{"8:1", "/srv/pushrod/checkouts"}, {"8:2", "/releases"}};
  return app_of_mounts(parents, {{"/", {"0:5", "/"}}, {"/app", {device, path}}});
}

TEST(Guard, KnowsTheAppByItsCheckout) {
  EXPECT_EQ(app_at("8:1", "/srv/pushrod/checkouts/blog/14/tree"), "blog");
  EXPECT_EQ(app_at("8:2", "/releases/blog/14/tree/site"), "blog");
  EXPECT_EQ(app_at("8:2", "/srv/pushrod/checkouts/blog/14/tree"), "") << "of another file system";
  EXPECT_EQ(app_at("8:1", "/srv/other/checkouts/blog/14/tree"), "");
  EXPECT_EQ(app_at("8:1", "/srv/pushrod/data/blog"), "");
  EXPECT_EQ(app_at("8:1", "/srv/pushrod/checkouts"), "");
  EXPECT_EQ(app_of_mounts({{"8:1", "/checkouts"}}, {{"/", {"8:1", "/checkouts/blog"}}}), "") << "nothing is at /app";
}

TEST(Guard, SeesNoSandboxesWhereNoneRun) { EXPECT_TRUE(running_sandboxes(Layout("/nowhere")).empty()); }

}  // namespace
}  // namespace pushrod
