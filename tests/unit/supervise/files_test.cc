// What is rendered for s6, and what is read of its logs; no tree needed.
#include <sys/stat.h>

#include "fixtures.hh"
#include "supervise/service_directory.hh"

namespace pushrod {
namespace {

class Files : public Tree {};

TEST_F(Files, AServiceDirectoryHoldsNoScript) {
  Service service = this->service("a.1.web.1", "mode=exec\0arg=true\0"s);
  service.stop_timeout = Milliseconds{2'500};
  service.stop_signal = SIGUSR1;
  supervisor_.write(service);
  const fs::path directory = layout_.service("a.1.web.1");
  EXPECT_EQ(list_directory(directory), (std::vector<std::string>{"down-signal", "log", "notification-fd", "run", "spec",
                                                                 "supervise", "timeout-kill"}));
  EXPECT_EQ(fs::read_symlink(directory / "run"), own_program().parent_path() / "pushrod-shim");
  EXPECT_EQ(fs::read_symlink(directory / "log" / "run"), own_program().parent_path() / "pushrod-shim");
  EXPECT_EQ(read_file(directory / "spec"), service.spec);
  EXPECT_EQ(read_file(directory / "timeout-kill"), "2500\n");
  EXPECT_EQ(read_file(directory / "down-signal"), "10\n");
  struct stat status {};
  ASSERT_EQ(stat((directory / "spec").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777, 0600U) << "variables are secret";
  EXPECT_TRUE(is_directory(service.log_directory));
}

TEST_F(Files, WriteReplacesADirectoryWhole) {
  supervisor_.write(service("a", "mode=exec\0arg=true\0"s));
  write_file(layout_.service("a") / "backoff", "5 0\n");
  supervisor_.write(service("a", "mode=exec\0arg=false\0"s));
  EXPECT_FALSE(fs::exists(layout_.service("a") / "backoff"));
  EXPECT_EQ(supervisor_.services(), std::vector<std::string>{"a"});
  EXPECT_FALSE(status("a").supervised);
  EXPECT_FALSE(status("a").up);
}

std::string log_spec(std::uint64_t log_bytes, std::optional<LogBranch> branch = {}) {
  Service service;
  service.log_directory = "/logs/a";
  service.log_bytes = log_bytes;
  service.log_branch = std::move(branch);
  return render_log_spec(service);
}

TEST(LogSpec, KeepsMarkedLinesApartAndDropsOthers) {
  EXPECT_EQ(log_spec(10'000'000, LogBranch{"= ", "/logs/b", {"no use"}}),
            "mode=exec\0keep_stderr=1\0gather=1\0arg=s6-log\0arg=-bp\0arg=-l262144\0arg=--\0arg=-^\0arg=+^= \0arg=n9\0"
            "arg=s1000000\0arg=S8475712\0arg=t\0arg=/logs/b\0arg=f\0arg=-no use\0arg=n9\0arg=s1000000\0"
            "arg=S8475712\0arg=t\0arg=/logs/a\0"s);
}

TEST(LogSpec, KeepsTheCap) {
  const std::string spec = log_spec(10'000'000);
  EXPECT_EQ(spec,
            "mode=exec\0keep_stderr=1\0arg=s6-log\0arg=-bp\0arg=-l262144\0arg=--\0arg=n9\0arg=s1000000\0arg=S8475712\0"
            "arg=t\0arg=/logs/a\0"s);
  EXPECT_EQ(longest_log_record(0), 8192U);
  EXPECT_NE(log_spec(0).find("arg=-l8192\0"s), std::string::npos);
  EXPECT_NE(log_spec(0).find("arg=n7\0arg=s6553\0arg=S42599\0"s), std::string::npos);
  EXPECT_NE(log_spec(2'000'000'000).find("arg=s100000000\0arg=S1899475712\0"s), std::string::npos);
}

class LogLines : public testing::Test {
 protected:
  LogLines() {
    std::string pattern = (fs::temp_directory_path() / "log-test.XXXXXX").native();
    directory_ = mkdtemp(pattern.data());
  }
  ~LogLines() override { remove_tree(directory_); }
  void write(const std::string& name, const std::string& content) const {
    write_file(directory_ / name, content, 0600, false);
  }
  static std::string stamped(const std::string& line) { return "@400000006b030ec81b2153de " + line + "\n"; }

  fs::path directory_;
};

TEST_F(LogLines, AreTheLastOnesWithoutStamps) {
  write("current", stamped("one") + stamped("") + stamped("two") + "unstamped\n");
  EXPECT_EQ(last_log_lines(directory_, 3), (std::vector<std::string>{"", "two", "unstamped"}));
  EXPECT_EQ(last_log_lines(directory_, 0), std::vector<std::string>{});
}

TEST_F(LogLines, GoBackIntoRotatedFiles) {
  write("@400000006b030ec800000000.s", stamped("1") + stamped("2"));
  write("@400000006b030ec900000000.u", stamped("3"));
  write("previous", stamped("4"));
  write("current", stamped("5"));
  write("state", "not a log");
  EXPECT_EQ(last_log_lines(directory_, 10), (std::vector<std::string>{"1", "2", "3", "4", "5"}));
  EXPECT_EQ(last_log_lines(directory_, 4), (std::vector<std::string>{"2", "3", "4", "5"}));
}

TEST_F(LogLines, OfALogThatIsNotThereAreNone) {
  EXPECT_EQ(last_log_lines(directory_ / "nowhere", 5), std::vector<std::string>{});
}

}  // namespace
}  // namespace pushrod
