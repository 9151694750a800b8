// Whose sandbox it is: by what is mounted in it.
#include "serve/guard.hh"

#include <gtest/gtest.h>

namespace pushrod {
namespace {

TEST(Guard, KnowsTheAppByItsCheckout) {
  const std::filesystem::path root = "/srv/pushrod";
  EXPECT_EQ(app_of_mount(root, "/srv/pushrod/checkouts/blog/14/tree"), "blog");
  EXPECT_EQ(app_of_mount(root, "/srv/pushrod/releases/blog/14/tree/site"), "blog");
  EXPECT_EQ(app_of_mount(root, "/pushrod/checkouts/blog/14/tree"), "blog") << "of a file system mounted at /srv";
  EXPECT_EQ(app_of_mount(root, "/checkouts/blog/14/tree"), "blog") << "of one mounted at the root directory";
  EXPECT_EQ(app_of_mount(root, "/srv/other/checkouts/blog/14/tree"), "");
  EXPECT_EQ(app_of_mount(root, "/srv/pushrod/data/blog"), "");
  EXPECT_EQ(app_of_mount(root, ""), "");
}

TEST(Guard, SeesNoSandboxesWhereNoneRun) { EXPECT_TRUE(running_sandboxes(Layout("/nowhere")).empty()); }

}  // namespace
}  // namespace pushrod
