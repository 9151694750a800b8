// Logs as s6-log writes them, read on across rotations.
#include "supervise/log_reader.hh"

#include <fcntl.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>

#include "base/text.hh"

namespace pushrod {
namespace {

class LogReading : public testing::Test {
 protected:
  LogReading() {
    std::string name = fs::temp_directory_path() / "pushrod-logs-XXXXXX";
    if (mkdtemp(name.data()) == nullptr) std::abort();
    directory_ = name;
  }
  ~LogReading() override { remove_tree(directory_); }

  void write(const std::string& text) {
    const auto file = open_file(directory_ / "current", O_WRONLY | O_CREAT | O_APPEND);
    write_all(file.get(), text, "writing");
  }
  // What s6-log does with a file that is full; `seconds`: when.
  void rotate(unsigned seconds) { fs::rename(directory_ / "current", directory_ / archive(seconds)); }
  static std::string archive(unsigned seconds) { return fmt::format("@40000000{:08x}00000000.s", seconds); }

  // "(…)" stands for what is left out.
  std::string read(LogReader& reader, std::optional<WallTime> since = {}) {
    const auto text = reader.read_on(since);
    return (text.is_partial ? "(…) " : "") + text.lines;
  }

  fs::path directory_;
};

TEST_F(LogReading, GoesOnWhereItStopped) {
  LogReader reader(directory_);
  EXPECT_EQ(read(reader), "");
  write("one\ntwo\nthr");
  EXPECT_EQ(read(reader), "one\ntwo\n");
  EXPECT_EQ(read(reader), "");
  write("ee\n");
  EXPECT_EQ(read(reader), "three\n");
}

TEST_F(LogReading, BeginsWithWhatHasBeenRotated) {
  write("one\n");
  rotate(1);
  write("two\n");
  fs::rename(directory_ / "current", directory_ / "previous");
  write("three\n");
  LogReader reader(directory_);
  EXPECT_EQ(read(reader), "one\ntwo\nthree\n");
}

TEST_F(LogReading, MissesNoFileOfSeveralRotationsBetweenTwoLooks) {
  LogReader reader(directory_);
  write("one\n");
  EXPECT_EQ(read(reader), "one\n");
  write("two\n");
  for (unsigned time = 1; time < 4; ++time) {
    rotate(time);
    write(fmt::format("after {}\n", time));
  }
  EXPECT_EQ(read(reader), "two\nafter 1\nafter 2\nafter 3\n");
  rotate(4);
  EXPECT_EQ(read(reader), "") << "before there is a new one";
  write("five\n");
  EXPECT_EQ(read(reader), "five\n");
}

TEST_F(LogReading, SaysWhenFilesAreGoneThatItHadNotRead) {
  LogReader reader(directory_);
  write("one\n");
  EXPECT_EQ(read(reader), "one\n");
  write("two\n");
  rotate(1);
  write("three\n");
  rotate(2);
  remove_file(directory_ / archive(1));
  write("four\n");
  EXPECT_EQ(read(reader), "(…) two\nthree\nfour\n");
  write("five\n");
  EXPECT_EQ(read(reader), "five\n");
}

TEST_F(LogReading, OfTooMuchItReadsTheEnd) {
  LogReader reader(directory_, 12);
  write("0123456789\n");
  rotate(1);
  write("aaaa\nbbbb\ncc");
  EXPECT_EQ(read(reader), "(…) bbbb\n");
  write("cc\n");
  EXPECT_EQ(read(reader), "cccc\n");
}

TEST_F(LogReading, ALineThatWasCutOffByARotationIsALine) {
  write("half");
  rotate(1);
  write("whole\n");
  LogReader reader(directory_);
  EXPECT_EQ(read(reader), "half\nwhole\n");
}

TEST_F(LogReading, FilesThatAreTooOldAreNotRead) {
  write("old\n");
  rotate(1'000);
  write("new\n");
  LogReader reader(directory_);
  EXPECT_EQ(read(reader, parse_time("2026-01-01")), "new\n");
}

TEST_F(LogReading, AFileIsReadFromAnOffset) {
  write("one\ntwo\nhalf");
  std::vector<LogPart> parts(1);
  parts.front() = {open_log(directory_ / "current"), 4};
  EXPECT_EQ(read_parts(parts).lines, "two\n");
  parts.front().grows = false;
  EXPECT_EQ(read_parts(parts).lines, "half\n") << "it ends there";
  EXPECT_EQ(read_parts(parts).lines, "");
  EXPECT_FALSE(open_log(directory_ / "none"));
}

}  // namespace
}  // namespace pushrod
