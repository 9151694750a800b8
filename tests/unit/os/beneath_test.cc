// Directories below one that an app has filled.
#include "os/beneath.hh"

#include "base/error.hh"
#include "fixtures.hh"
#include "os/files.hh"

namespace pushrod {
namespace {

class Beneath : public InTemporaryDirectory {
 protected:
  Beneath() {
    make_directory(tree_ / "packages/web");
    make_directory(root_ / "other/web");
    fs::create_symlink(root_ / "other", tree_ / "link");
    fs::create_symlink("packages", tree_ / "inner");
    write_file(tree_ / "file", "");
  }
  fs::path tree_ = root_ / "tree";
};

TEST_F(Beneath, DirectoriesAreOpenedAndMade) {
  EXPECT_TRUE(open_directory_beneath(tree_, "packages/web"));
  EXPECT_TRUE(open_directory_beneath(tree_, ""));
  EXPECT_THROW(open_directory_beneath(tree_, "packages/web/node_modules"), SystemError);
  EXPECT_TRUE(make_directory_beneath(tree_, "packages/web/node_modules"));
  EXPECT_TRUE(make_directory_beneath(tree_, "packages/web/node_modules"));
  EXPECT_TRUE(is_directory(tree_ / "packages/web/node_modules"));
}

TEST_F(Beneath, NoSymlinkIsFollowed) {
  for (const char* path : {"link", "link/web", "link/new", "inner/web", "file", "file/x", "../other/web", "/etc"}) {
    EXPECT_THROW(open_directory_beneath(tree_, path), Error) << path;
    EXPECT_THROW(make_directory_beneath(tree_, path), Error) << path;
  }
  EXPECT_EQ(list_directory(root_ / "other"), std::vector<std::string>{"web"});
}

TEST_F(Beneath, ADirectoryMovesAndGivesItsPlaceToTheOneThatWasThere) {
  make_directory(root_ / "own");
  write_file(root_ / "own/a", "1");
  make_directory(tree_ / "packages/node_modules");
  move_beneath(root_ / "own", tree_, "packages/node_modules");
  EXPECT_EQ(read_file(tree_ / "packages/node_modules/a"), "1");
  make_directory(root_ / "own");
  move_beneath(root_ / "own", tree_, "packages/node_modules");
  EXPECT_EQ(list_directory(tree_ / "packages/node_modules"), std::vector<std::string>{});
  EXPECT_EQ(read_file(root_ / "own/a"), "1");
  EXPECT_THROW(move_beneath(root_ / "own", tree_, "file"), SystemError);
  EXPECT_THROW(move_beneath(root_ / "own", tree_, "link/new"), SystemError);
}

}  // namespace
}  // namespace pushrod
