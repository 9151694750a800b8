// Directories of /app that are writable for one sandbox. With bwrap, because the mounts need a namespace of their own.
#include "fixtures.hh"

namespace pushrod {
namespace {

using testing::HasSubstr;

class WritableDirectory : public InTemporaryDirectory {
 protected:
  WritableDirectory() {
    make_directory(app() / "views");
    make_directory(app() / "empty");
    write_file(app() / "views" / "index", "of the release\n");
  }
  std::filesystem::path app() const { return root_ / "app"; }
  // Runs the script in the role `run`, with these words before the command.
  CommandResult run_with(const std::vector<std::string>& words, const std::string& script) const {
    Command command;
    command.argv = {"bwrap",
                    "--unshare-user",
                    "--unshare-pid",
                    "--as-pid-1",
                    "--cap-add",
                    "ALL",
                    "--ro-bind",
                    "/usr",
                    "/usr",
                    "--symlink",
                    "usr/bin",
                    "/bin",
                    "--symlink",
                    "usr/lib",
                    "/lib",
                    "--symlink",
                    "usr/lib64",
                    "/lib64",
                    "--ro-bind",
                    app().native(),
                    "/app",
                    "--tmpfs",
                    "/tmp",
                    "--proc",
                    "/proc",
                    "--dev",
                    "/dev",
                    "--ro-bind",
                    shim_program(),
                    "/.pushrod-shim",
                    "--chdir",
                    "/app",
                    "--",
                    "/.pushrod-shim",
                    "run"};
    command.argv.insert(command.argv.end(), words.begin(), words.end());
    command.argv.insert(command.argv.end(), {"--", "/bin/sh", "-c", script});
    command.environment["+PATH"] = "/usr/bin:/bin";
    return run(command);
  }
};

TEST_F(WritableDirectory, ShowsTheReleaseAndLeavesItAsItIs) {
  const auto result =
      run_with({"writable=views"}, "cat views/index; echo new > views/index; cat views/index; ls views");
  EXPECT_EQ(result.out, "of the release\nnew\nindex\n") << result.err;
  EXPECT_EQ(read_file(app() / "views" / "index"), "of the release\n");
}

TEST_F(WritableDirectory, MayBeEmptyInTheRelease) {
  const auto result = run_with({"writable=empty"}, "echo new > empty/file && cat empty/file");
  EXPECT_EQ(result.out, "new\n") << result.err;
  EXPECT_TRUE(list_directory(app() / "empty").empty());
}

TEST_F(WritableDirectory, LeavesTheOthersReadOnly) {
  const auto result = run_with({"writable=empty"}, "echo new > views/index");
  EXPECT_FALSE(result.ok());
  EXPECT_THAT(result.err, HasSubstr("Read-only file system"));
}

TEST_F(WritableDirectory, MayBeAllOfApp) {
  EXPECT_EQ(run_with({"writable=."}, "echo new > file && rm views/index && ls . views").out,
            ".:\nempty\nfile\nviews\n\nviews:\n");
  EXPECT_TRUE(is_directory(app() / "views"));
  EXPECT_EQ(list_directory(app()), (std::vector<std::string>{"empty", "views"}));
}

TEST_F(WritableDirectory, IsNoLargerThanTheMemoryOfTheSandbox) {
  const auto result = run_with({"writable=empty", "memory=33554432"}, "head -c 40000000 /dev/zero > empty/file");
  EXPECT_FALSE(result.ok());
  EXPECT_THAT(result.err, HasSubstr("No space left on device"));
}

TEST_F(WritableDirectory, LeavesNoCapabilityAndNothingInTmp) {
  const auto result = run_with({"writable=empty", "writable=views"}, "ls -A /tmp; grep CapEff /proc/self/status");
  EXPECT_EQ(result.out, "CapEff:\t0000000000000000\n") << result.err;
}

TEST_F(WritableDirectory, IsNamedWhenItIsMissing) {
  const auto result = run_with({"writable=missing"}, "true");
  EXPECT_EQ(result.code, 111);
  EXPECT_EQ(result.err, "pushrod-shim: make writable missing: No such file or directory\n");
}

}  // namespace
}  // namespace pushrod
