// Files and directories, whole or not there.
#include "os/files.hh"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <atomic>
#include <csignal>
#include <thread>

#include "base/error.hh"
#include "fixtures.hh"

namespace pushrod {
namespace {

class Files : public InTemporaryDirectory {
 protected:
  static mode_t mode_of(const fs::path& path) {
    struct stat status {};
    EXPECT_EQ(lstat(path.c_str(), &status), 0) << path;
    return status.st_mode & 07777;
  }
};

using Names = std::vector<std::string>;

TEST_F(Files, ReadBackWhatWasWritten) {
  const std::string content = std::string("a\0b\n", 4) + std::string(200'000, 'x');
  write_file(root_ / "file", content);
  EXPECT_EQ(read_file(root_ / "file"), content);
  write_file(root_ / "file", "");
  EXPECT_EQ(read_file(root_ / "file"), "");
}

TEST_F(Files, ReadingFindsNothingWhereThereIsNothing) {
  EXPECT_FALSE(read_file(root_ / "absent"));
  EXPECT_FALSE(read_file(root_ / "no" / "directory"));
  write_file(root_ / "file", "x");
  EXPECT_FALSE(read_file(root_ / "file" / "below"));
}

TEST_F(Files, ReadingRefusesMoreThanTheCap) {
  write_file(root_ / "file", "12345");
  EXPECT_EQ(read_file(root_ / "file", 5), "12345");
  EXPECT_THROW(read_file(root_ / "file", 4), Error);
  EXPECT_EQ(read_file(root_ / "file", SIZE_MAX), "12345");
}

TEST_F(Files, ReadingKnowsNoSizeInAdvance) { EXPECT_FALSE(read_file("/proc/self/status")->empty()); }

TEST_F(Files, ReadingFollowsSymlinksOnlyWhenAsked) {
  write_file(root_ / "file", "x");
  replace_symlink(root_ / "link", "file");
  EXPECT_EQ(read_file(root_ / "link"), "x");
  EXPECT_THROW(read_file(root_ / "link", 100, false), SystemError);
  EXPECT_EQ(read_file(root_ / "file", 100, false), "x");
}

TEST_F(Files, ReadingRefusesWhatIsNoFile) {
  ASSERT_EQ(mkfifo((root_ / "fifo").c_str(), 0600), 0);
  EXPECT_THROW(read_file(root_ / "fifo"), Error);
  EXPECT_THROW(read_file(root_), SystemError);
}

TEST_F(Files, WritingSetsTheModeWithAnyUmask) {
  const mode_t before = umask(0077);
  write_file(root_ / "open", "x", 0644);
  umask(0);
  write_file(root_ / "closed", "x");
  umask(before);
  EXPECT_EQ(mode_of(root_ / "open"), 0644U);
  EXPECT_EQ(mode_of(root_ / "closed"), 0600U);
}

TEST_F(Files, WritingReplacesASymlinkAndNotItsTarget) {
  write_file(root_ / "file", "old");
  replace_symlink(root_ / "link", "file");
  write_file(root_ / "link", "new");
  EXPECT_EQ(read_file(root_ / "file"), "old");
  EXPECT_EQ(read_file(root_ / "link", 100, false), "new");
}

TEST_F(Files, WritingThatCannotRenameLeavesEverythingAsItWas) {
  make_directory(root_ / "target");
  write_file(root_ / "target" / "old", "old");
  EXPECT_THROW(write_file(root_ / "target", "new"), SystemError);
  EXPECT_EQ(read_file(root_ / "target" / "old"), "old");
  EXPECT_EQ(list_directory(root_), Names{"target"});
}

TEST_F(Files, WritingIntoAReadOnlyDirectoryLeavesTheOldContent) {
  const AsOrdinaryUser user(root_);
  make_directory(root_ / "dir");
  write_file(root_ / "dir" / "file", "old");
  chmod((root_ / "dir").c_str(), 0500);
  EXPECT_THROW(write_file(root_ / "dir" / "file", "new"), SystemError);
  EXPECT_EQ(read_file(root_ / "dir" / "file"), "old");
  chmod((root_ / "dir").c_str(), 0700);
}

TEST_F(Files, WritingWithoutRoomLeavesTheOldContentAndNoTemporary) {
  write_file(root_ / "file", "old");
  const pid_t pid = fork();
  if (pid == 0) {
    signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{1'000, 1'000};
    setrlimit(RLIMIT_FSIZE, &limit);
    try {
      write_file(root_ / "file", std::string(100'000, 'x'));
    } catch (const SystemError& error) {
      _exit(error.code() == EFBIG ? 0 : 1);
    }
    _exit(2);
  }
  int status = 0;
  ASSERT_EQ(waitpid(pid, &status, 0), pid);
  EXPECT_EQ(status, 0);
  EXPECT_EQ(read_file(root_ / "file"), "old");
  EXPECT_EQ(list_directory(root_), Names{"file"});
}

TEST_F(Files, ReadersSeeTheOldOrTheNewContentWhole) {
  const std::string old_content(10'000, 'a');
  const std::string new_content(20'000, 'b');
  write_file(root_ / "file", old_content, 0600, false);
  std::atomic<bool> done = false;
  std::jthread writer([&] {
    for (int round = 0; round < 500; ++round) {
      write_file(root_ / "file", round % 2 == 0 ? new_content : old_content, 0600, false);
    }
    done = true;
  });
  while (!done) {
    const auto content = read_file(root_ / "file");
    ASSERT_TRUE(content == old_content || content == new_content);
  }
}

TEST_F(Files, DirectoriesAreMadeWithTheirModeWithAnyUmask) {
  const mode_t before = umask(0077);
  make_directory(root_ / "a" / "b" / "c", 0755);
  umask(before);
  EXPECT_EQ(mode_of(root_ / "a"), 0755U);
  EXPECT_EQ(mode_of(root_ / "a" / "b" / "c"), 0755U);
  make_directory(root_ / "a" / "d/");
  EXPECT_EQ(mode_of(root_ / "a" / "d"), 0700U);
  make_directory(root_ / "a", 0700);
  EXPECT_EQ(mode_of(root_ / "a"), 0755U) << "what is there stays as it is";
}

TEST_F(Files, DirectoryIsNotMadeOverAFile) {
  write_file(root_ / "file", "x");
  EXPECT_THROW(make_directory(root_ / "file"), SystemError);
  EXPECT_THROW(make_directory(root_ / "file" / "below"), SystemError);
}

TEST_F(Files, DirectoryThroughASymlinkIsADirectory) {
  make_directory(root_ / "real");
  replace_symlink(root_ / "link", "real");
  make_directory(root_ / "link" / "below");
  EXPECT_TRUE(is_directory(root_ / "real" / "below"));
}

TEST_F(Files, RenameReplaces) {
  write_file(root_ / "a", "new");
  write_file(root_ / "b", "old");
  rename_path(root_ / "a", root_ / "b");
  EXPECT_EQ(read_file(root_ / "b"), "new");
  EXPECT_EQ(list_directory(root_), Names{"b"});
  EXPECT_THROW(rename_path(root_ / "a", root_ / "b"), SystemError);
}

TEST_F(Files, SymlinkIsReplacedAtomically) {
  replace_symlink(root_ / "current", "one");
  replace_symlink(root_ / "current", "two");
  EXPECT_EQ(fs::read_symlink(root_ / "current"), "two");
  EXPECT_EQ(list_directory(root_), Names{"current"});
}

TEST_F(Files, RemoveFileTellsWhetherThereWasOne) {
  write_file(root_ / "file", "x");
  EXPECT_TRUE(remove_file(root_ / "file"));
  EXPECT_FALSE(remove_file(root_ / "file"));
  EXPECT_FALSE(remove_file(root_ / "no" / "file"));
  EXPECT_THROW(remove_file(root_), SystemError);
}

TEST_F(Files, ListingIsSortedAndComplete) {
  for (const char* name : {"b", ".hidden", "a", "c"}) write_file(root_ / name, "", 0600, false);
  EXPECT_EQ(list_directory(root_), (Names{".hidden", "a", "b", "c"}));
  EXPECT_TRUE(list_directory(root_ / "absent").empty());
  EXPECT_THROW(list_directory(root_ / "a"), SystemError);
}

TEST_F(Files, KindsAreNotAskedThroughSymlinks) {
  make_directory(root_ / "dir");
  write_file(root_ / "file", "x");
  replace_symlink(root_ / "to-dir", "dir");
  replace_symlink(root_ / "to-file", "file");
  EXPECT_TRUE(is_directory(root_ / "dir"));
  EXPECT_FALSE(is_directory(root_ / "to-dir"));
  EXPECT_FALSE(is_directory(root_ / "file"));
  EXPECT_FALSE(is_directory(root_ / "absent"));
  EXPECT_TRUE(is_plain_file(root_ / "file"));
  EXPECT_FALSE(is_plain_file(root_ / "to-file"));
  EXPECT_FALSE(is_plain_file(root_ / "dir"));
}

TEST_F(Files, OpenedFilesAreCloseOnExec) {
  const UniqueFd fd = open_file(root_ / "file", O_RDWR | O_CREAT);
  EXPECT_NE(fcntl(fd.get(), F_GETFD) & FD_CLOEXEC, 0);
  EXPECT_THROW(open_file(root_ / "absent", O_RDONLY), SystemError);
}

TEST_F(Files, ErrorsNameThePath) {
  try {
    open_file(root_ / "absent\n", O_RDONLY);
    FAIL() << "no error";
  } catch (const SystemError& error) {
    EXPECT_EQ(error.code(), ENOENT);
    EXPECT_NE(error.message().find("absent\\n"), std::string::npos) << error.message();
  }
}

TEST_F(Files, WriteAllWaitsForANonBlockingPipe) {
  Pipe pipe = make_pipe();
  ASSERT_EQ(fcntl(pipe.write_end.get(), F_SETFL, O_NONBLOCK), 0);
  const std::string content(1'000'000, 'x');
  std::size_t received = 0;
  std::jthread reader([&] {
    std::string buffer(4'096, '\0');
    while (const ssize_t got = read(pipe.read_end.get(), buffer.data(), buffer.size())) {
      received += static_cast<std::size_t>(got);
    }
  });
  write_all(pipe.write_end.get(), content, "write");
  pipe.write_end.reset();
  reader.join();
  EXPECT_EQ(received, content.size());
}

TEST_F(Files, FreeBytesAreKnown) {
  EXPECT_GT(free_bytes(root_), 0U);
  EXPECT_THROW(free_bytes(root_ / "absent"), SystemError);
}

TEST(UniqueFdTest, ClosesOnceAndKeepsErrno) {
  Pipe pipe = make_pipe();
  const int number = pipe.read_end.get();
  EXPECT_NE(fcntl(number, F_GETFD) & FD_CLOEXEC, 0);
  UniqueFd moved = std::move(pipe.read_end);
  EXPECT_EQ(moved.get(), number);
  errno = EXDEV;
  moved = UniqueFd();
  EXPECT_EQ(errno, EXDEV);
  EXPECT_EQ(fcntl(number, F_GETFD), -1);
}

}  // namespace
}  // namespace pushrod
