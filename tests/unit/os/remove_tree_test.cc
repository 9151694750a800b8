// Trees that somebody else made as awkward as they could.
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <thread>

#include "base/error.hh"
#include "fixtures.hh"
#include "os/files.hh"

namespace pushrod {
namespace {

// In memory where possible: building these trees is what takes the time on a disk.
class RemoveTree : public InTemporaryDirectory {
 protected:
  RemoveTree() : InTemporaryDirectory(access("/dev/shm", W_OK) == 0 ? "/dev/shm" : fs::temp_directory_path()) {}
};

TEST_F(RemoveTree, RemovesWhateverThePathNames) {
  make_directory(root_ / "tree" / "a" / "b");
  write_file(root_ / "tree" / "a" / "file", "x");
  ASSERT_EQ(mkfifo((root_ / "tree" / "fifo").c_str(), 0600), 0);
  remove_tree(root_ / "tree");
  EXPECT_FALSE(is_directory(root_ / "tree"));

  write_file(root_ / "file", "x");
  remove_tree(root_ / "file");
  remove_tree(root_ / "absent");
  remove_tree(root_ / "no" / "such" / "parent");
  make_directory(root_ / "slash");
  remove_tree(root_ / "slash/");
  EXPECT_TRUE(list_directory(root_).empty());
}

TEST_F(RemoveTree, DoesNotFollowSymlinks) {
  make_directory(root_ / "outside" / "dir");
  write_file(root_ / "outside" / "file", "kept");
  make_directory(root_ / "tree" / "deep");
  replace_symlink(root_ / "tree" / "to-dir", root_ / "outside");
  replace_symlink(root_ / "tree" / "deep" / "to-file", root_ / "outside" / "file");
  replace_symlink(root_ / "tree" / "deep" / "dangling", "nowhere");
  remove_tree(root_ / "tree");
  replace_symlink(root_ / "top", root_ / "outside");
  remove_tree(root_ / "top");
  EXPECT_EQ(list_directory(root_), std::vector<std::string>{"outside"});
  EXPECT_EQ(list_directory(root_ / "outside"), (std::vector<std::string>{"dir", "file"}));
}

TEST_F(RemoveTree, CopesWithADepthBeyondDescriptorsAndPathLength) {
  make_directory(root_ / "tree");
  UniqueFd at = open_file(root_ / "tree", O_RDONLY | O_DIRECTORY);
  for (int depth = 0; depth < 5'000; ++depth) {
    ASSERT_EQ(mkdirat(at.get(), "directory", 0700), 0);
    ASSERT_GE(UniqueFd(openat(at.get(), "file", O_CREAT | O_WRONLY | O_CLOEXEC, 0600)).get(), 0);
    at = UniqueFd(openat(at.get(), "directory", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    ASSERT_TRUE(at);
  }
  at.reset();
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &before), 0);
  const rlimit few{16, before.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &few), 0);
  EXPECT_NO_THROW(remove_tree(root_ / "tree"));
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &before), 0);
  EXPECT_FALSE(is_directory(root_ / "tree"));
}

TEST_F(RemoveTree, MakesDirectoriesWritableOnTheWay) {
  const AsOrdinaryUser user(root_);
  for (const mode_t mode : {0500, 0400, 0300, 0000}) {
    make_directory(root_ / "tree" / "a" / "b" / "c" / "d");
    write_file(root_ / "tree" / "a" / "b" / "file", "x", 0000);
    make_directory(root_ / "tree" / "empty");
    for (const char* path : {"tree/empty", "tree/a/b/c/d", "tree/a/b/c", "tree/a/b", "tree/a", "tree"}) {
      ASSERT_EQ(chmod((root_ / path).c_str(), mode), 0);
    }
    EXPECT_NO_THROW(remove_tree(root_ / "tree")) << std::oct << mode;
    EXPECT_FALSE(is_directory(root_ / "tree")) << std::oct << mode;
  }
}

TEST_F(RemoveTree, CopesWithNamesThatItWouldUseItself) {
  for (const char* path : {"tree/a/b/c", "tree/.removing-1/x/y", "tree/.removing-2/x", "tree/a/.removing-1/z"}) {
    make_directory(root_ / path);
  }
  write_file(root_ / "tree" / ".removing-3", "x");
  remove_tree(root_ / "tree");
  EXPECT_FALSE(is_directory(root_ / "tree"));
}

TEST_F(RemoveTree, CopesWithManyEntries) {
  for (int outer = 0; outer < 20; ++outer) {
    const fs::path directory = root_ / "tree" / std::to_string(outer);
    for (int inner = 0; inner < 10; ++inner) {
      make_directory(directory / std::to_string(inner) / "leaf");
      write_file(directory / std::to_string(inner) / "file", "", 0600, false);
    }
  }
  remove_tree(root_ / "tree");
  EXPECT_TRUE(list_directory(root_).empty());
}

TEST_F(RemoveTree, DoesNotMindAnotherWhoRemovesTheSame) {
  for (int round = 0; round < 20; ++round) {
    const auto top = root_ / "top";
    for (int i = 0; i < 100; ++i) {
      make_directory(top / std::to_string(i) / "deep" / "deeper");
      write_file(top / std::to_string(i) / "deep" / "file", "x", 0600, false);
    }
    std::thread other([&] { EXPECT_NO_THROW(remove_tree(top)); });
    EXPECT_NO_THROW(remove_tree(top));
    other.join();
    EXPECT_FALSE(is_directory(top));
  }
}

TEST_F(RemoveTree, RefusesPathsThatNameNoEntry) {
  const auto before = fs::current_path();
  make_directory(root_ / "inner");
  fs::current_path(root_ / "inner");
  for (const char* path : {"", "/", ".", "..", "./", "../", "//"}) EXPECT_THROW(remove_tree(path), Error) << path;
  fs::current_path(before);
  EXPECT_TRUE(is_directory(root_ / "inner"));
}

}  // namespace
}  // namespace pushrod
