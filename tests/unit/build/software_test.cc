// When builds count as made with other software.
#include "build/software.hh"

#include <gtest/gtest.h>

#include <functional>

#include "os/files.hh"
#include "test_tree.hh"

namespace pushrod {
namespace {

TEST(Software, APackageOrAProgramThatChangesIsNoticed) {
  const TestTree tree;
  tree.write("status", "Package: nodejs\n");
  tree.write("lib/npm-cli.js", "old");
  tree.write("bin/node", "old", true);
  tree.link("bin/npm", "../lib/npm-cli.js");
  const InstalledSoftware where{tree.path() / "status", tree.path() / "bin"};
  auto before = software_stamp(where);
  EXPECT_EQ(software_stamp(where), before);
  const auto expect_change_by = [&](const std::function<void()>& change) {
    change();
    const auto after = software_stamp(where);
    EXPECT_NE(after, before);
    before = after;
  };
  expect_change_by([&] { tree.write("status", "Package: nodejs\nPackage: npm\n"); });
  expect_change_by([&] { tree.write("bin/node", "newer", true); });
  expect_change_by([&] { tree.write("lib/npm-cli.js", "newer"); });
  expect_change_by([&] { tree.write("bin/yarn", "new", true); });
  expect_change_by([&] { fs::remove(tree.path() / "bin/yarn"); });
}

TEST(Software, AMachineWithoutTheseHasAStampAsWell) {
  const TestTree tree;
  EXPECT_FALSE(software_stamp({tree.path() / "nothing", tree.path() / "nowhere"}).empty());
}

}  // namespace
}  // namespace pushrod
