// What the roles of the shim share.
#include "shim/parts.hh"

#include <cerrno>
#include <cstdlib>

#include "fixtures.hh"

namespace pushrod {
namespace {

using testing::ExitedWithCode;

std::string written(uint64_t number) {
  char text[32] = {};
  char* end = shim::write_number(text, number);
  return {text, end};
}

TEST(Numbers, AreWrittenWithoutALibrary) {
  EXPECT_EQ(written(0), "0");
  EXPECT_EQ(written(7), "7");
  EXPECT_EQ(written(1000), "1000");
  EXPECT_EQ(written(UINT64_MAX), "18446744073709551615");
}

TEST(Failures, SayWhatFailedAndWhy) {
  EXPECT_EXIT((errno = ENOSPC, shim::fail("lock", "./lock")), ExitedWithCode(111),
              "^pushrod-shim: lock ./lock: No space left on device\n$");
}

void become(std::vector<const char*> words) {
  words.push_back(nullptr);
  char* no_environment[] = {nullptr};
  shim::become(const_cast<char**>(words.data()), no_environment);
}

TEST(Become, LooksInTheSystemsDirectoriesOnly) {
  EXPECT_EXIT(become({"sh", "-c", "exit 7"}), ExitedWithCode(7), "");
  EXPECT_EXIT(become({"/bin/sh", "-c", "exit 8"}), ExitedWithCode(8), "");
  EXPECT_EXIT(become({"no-such-program"}), ExitedWithCode(111), "start no-such-program: No such file or directory");
  EXPECT_EXIT(become({"/etc/passwd"}), ExitedWithCode(111), "start /etc/passwd: Permission denied");
  EXPECT_EXIT(become({std::string(300, 'x').c_str()}), ExitedWithCode(111), "No such file or directory");
}

using OwnDirectories = InTemporaryDirectory;

TEST_F(OwnDirectories, AreMadeWhereHomeAndTheRuntimeDirectoryAre) {
  EXPECT_EQ(in_another_process([&] {
              setenv("HOME", (root_ / "a" / "home").c_str(), 1);
              setenv("XDG_RUNTIME_DIR", "relative", 1);
              std::filesystem::current_path(root_);
              shim::make_own_directories();
              return 0;
            }),
            0);
  EXPECT_TRUE(is_directory(root_ / "a" / "home"));
  EXPECT_EQ(std::filesystem::status(root_ / "a" / "home").permissions(), std::filesystem::perms::owner_all);
  EXPECT_FALSE(std::filesystem::exists(root_ / "relative"));
}

TEST_F(OwnDirectories, AreNoReasonNotToStart) {
  write_file(root_ / "file", "");
  EXPECT_EQ(in_another_process([&] {
              setenv("HOME", (root_ / "file" / "home").c_str(), 1);
              unsetenv("XDG_RUNTIME_DIR");
              shim::make_own_directories();
              return 0;
            }),
            0);
}

using Group = InTemporaryDirectory;

TEST_F(Group, IsJoinedByWritingToItsFile) {
  write_file(root_ / "cgroup.procs", "");
  shim::join_cgroup((root_ / "cgroup.procs").c_str());
  EXPECT_EQ(read_file(root_ / "cgroup.procs"), "0");
  EXPECT_EXIT(shim::join_cgroup((root_ / "missing").c_str()), ExitedWithCode(111), "join .*missing: No such file");
}

}  // namespace
}  // namespace pushrod
