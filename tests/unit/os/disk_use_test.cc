// Sizes of trees that a build made as awkward as it could.
#include "os/disk_use.hh"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "fixtures.hh"
#include "os/files.hh"

namespace pushrod {
namespace {

// In memory where possible: building these trees is what takes the time on a disk.
class DiskUseTest : public InTemporaryDirectory {
 protected:
  DiskUseTest() : InTemporaryDirectory(access("/dev/shm", W_OK) == 0 ? "/dev/shm" : fs::temp_directory_path()) {}
  ~DiskUseTest() override { remove_tree(root_); }

  void make_deep(const fs::path& path, int levels) const {
    make_directory(path);
    UniqueFd at = open_file(path, O_RDONLY | O_DIRECTORY);
    for (int level = 0; level < levels; ++level) {
      ASSERT_EQ(mkdirat(at.get(), "d", 0700), 0);
      at = UniqueFd(openat(at.get(), "d", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
      ASSERT_TRUE(at);
    }
  }
  static Milliseconds time_of(const fs::path& path) {
    const Stopwatch watch;
    measure_disk_use(path);
    return watch.elapsed();
  }
};

std::uint64_t blocks_of(const fs::path& path) {
  struct stat status {};
  return lstat(path.c_str(), &status) == 0 ? static_cast<std::uint64_t>(status.st_blocks) * 512 : 0;
}

TEST_F(DiskUseTest, CountsFilesAndDirectoriesAndFollowsNoSymlink) {
  write_file(root_ / "outside", std::string(1 << 20, 'x'));
  make_directory(root_ / "tree" / "a");
  make_directory(root_ / "tree" / "b");
  write_file(root_ / "tree" / "a" / "file", std::string(100'000, 'x'));
  fs::create_symlink(root_, root_ / "tree" / "b" / "link");
  fs::create_symlink(root_ / "outside", root_ / "tree" / "file");
  const auto size = measure_disk_use(root_ / "tree");
  EXPECT_TRUE(size.complete);
  EXPECT_EQ(size.entries, 5u);
  std::uint64_t expected = 0;
  for (const char* path : {"tree", "tree/a", "tree/b", "tree/a/file", "tree/b/link", "tree/file"}) {
    expected += blocks_of(root_ / path);
  }
  EXPECT_EQ(size.bytes, expected);
}

TEST_F(DiskUseTest, IsNothingForWhatIsNoDirectory) {
  write_file(root_ / "file", "x");
  fs::create_symlink(root_, root_ / "link");
  for (const char* path : {"absent", "file", "link"}) {
    const auto size = measure_disk_use(root_ / path);
    EXPECT_EQ(size.entries, 0u) << path;
    EXPECT_EQ(size.bytes, 0u) << path;
  }
  EXPECT_TRUE(measure_disk_use(root_ / "absent").complete);
}

TEST_F(DiskUseTest, CountsADeepTreeWithFewDescriptorsInLinearTime) {
  make_deep(root_ / "short", 5'000);
  make_deep(root_ / "deep", 20'000);
  write_file(root_ / "deep" / "file", "x");
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &before), 0);
  const rlimit few{24, before.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &few), 0);
  const auto size = measure_disk_use(root_ / "deep");
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &before), 0);
  EXPECT_TRUE(size.complete);
  EXPECT_EQ(size.entries, 20'001u);
  // Four times as deep: four times as long if it is linear, sixteen times if it is quadratic.
  const auto once = std::min(time_of(root_ / "short"), time_of(root_ / "short"));
  const auto again = std::min(time_of(root_ / "deep"), time_of(root_ / "deep"));
  EXPECT_LT(again, 10 * (once + Milliseconds{20})) << once.count() << " ms, " << again.count() << " ms";
}

TEST_F(DiskUseTest, OpensWhatItsOwnerHasClosedAndClosesItAgain) {
  const AsOrdinaryUser user(root_);
  for (const mode_t mode : {0000, 0200, 0300, 0400}) {
    const auto tree = root_ / "tree";
    make_directory(tree / "closed" / "inner");
    make_directory(tree / "other");
    write_file(tree / "closed" / "inner" / "file", "x");
    write_file(tree / "other" / "file", "x");
    ASSERT_EQ(chmod((tree / "closed" / "inner").c_str(), mode), 0);
    ASSERT_EQ(chmod((tree / "closed").c_str(), mode), 0);
    const auto size = measure_disk_use(tree);
    EXPECT_TRUE(size.complete) << std::oct << mode;
    EXPECT_EQ(size.entries, 5u) << std::oct << mode;
    struct stat status {};
    ASSERT_EQ(lstat((tree / "closed").c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 07777, mode);
    remove_tree(tree);
  }
}

TEST_F(DiskUseTest, EndsAtItsLimits) {
  for (int number = 0; number < 50; ++number) make_directory(root_ / "tree" / std::to_string(number) / "inner");
  DiskUseLimits few;
  few.entries = 20;
  EXPECT_EQ(measure_disk_use(root_ / "tree", few).entries, 20u);
  EXPECT_FALSE(measure_disk_use(root_ / "tree", few).complete);
  DiskUseLimits quick;
  quick.time = Milliseconds{0};
  EXPECT_FALSE(measure_disk_use(root_ / "tree", quick).complete);
}

}  // namespace
}  // namespace pushrod
