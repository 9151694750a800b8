// Sandboxes for real, as builds and release commands use them.
#include "sandbox/sandbox.hh"
#include "sandbox/hosts.hh"

#include <gtest/gtest.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <fstream>

#include "base/error.hh"
#include "base/text.hh"
#include "os/clock.hh"
#include "os/file_lock.hh"
#include "os/files.hh"

namespace pushrod {
namespace {

class RealSandbox : public testing::Test {
 protected:
  RealSandbox() {
    std::string pattern = (fs::temp_directory_path() / "sandbox-test.XXXXXX").native();
    root_ = mkdtemp(pattern.data());
    make_directory(root_ / "app");
    make_directory(root_ / "data");
    write_file(root_ / "secret", "of the root directory");
    sandbox_.mounts = {{root_ / "app", "/app", false}, {root_ / "data", "/data", true}};
    sandbox_.etc = write_sandbox_etc(root_ / "etc");
    sandbox_.host_name = "blog";
    sandbox_.environment = {{"PATH", "/usr/bin:/bin"}};
  }
  ~RealSandbox() override { remove_tree(root_); }

  CommandResult run_inside(const std::string& command) {
    sandbox_.command = command;
    Command outside = sandbox_command(sandbox_);
    outside.deadline = std::chrono::seconds{20};
    return run(outside);
  }
  // What the command prints; every command here is to succeed.
  std::string output_of(const std::string& command) {
    const CommandResult result = run_inside(command);
    EXPECT_TRUE(result.ok()) << command << ": " << result.describe() << "\n" << result.err;
    return result.out;
  }

  fs::path root_;
  Sandbox sandbox_;
};

TEST_F(RealSandbox, WorksHere) { EXPECT_EQ(probe_sandbox(), ""); }

TEST_F(RealSandbox, ShowsNothingOfTheRootDirectory) {
  EXPECT_EQ(output_of("ls -A /"), ".pushrod-shim\napp\nbin\ndata\ndev\netc\nlib\n" +
                                      std::string(fs::exists("/lib32") ? "lib32\n" : "") + "lib64\n" +
                                      (fs::exists("/libx32") ? "libx32\n" : "") + (fs::exists("/opt") ? "opt\n" : "") +
                                      "proc\nrun\nsbin\ntmp\nusr\nvar\n");
  EXPECT_FALSE(run_inside("cat " + (root_ / "secret").native()).ok());
  EXPECT_EQ(output_of("ls -A /tmp /run /home 2>/dev/null; true"), "/run:\n\n/tmp:\n");
}

TEST_F(RealSandbox, WritesOnlyWhatIsWritable) {
  EXPECT_FALSE(run_inside("touch /app/x").ok());
  EXPECT_FALSE(run_inside("touch /usr/x").ok());
  EXPECT_FALSE(run_inside("touch /x").ok());
  EXPECT_FALSE(run_inside("touch /etc/x").ok());
  EXPECT_TRUE(
      run_inside("echo kept > /data/x && echo private > /tmp/x && echo private > /var/tmp/y && ls /dev/shm").ok());
  EXPECT_EQ(read_file(root_ / "data" / "x"), "kept\n");
  EXPECT_EQ(output_of("ls /tmp"), "");
}

TEST_F(RealSandbox, GetsItsVariablesByteForByteAndNoOthers) {
  sandbox_.environment["ODD"] = "a\nb $c `d` \"e\" 'f' \x01\xff=";
  sandbox_.environment["LONG"] = std::string(128'000, 'x');
  setenv("LEAK", "1", 1);
  std::vector<std::string> variables = split(output_of("exec env -u SHLVL -u _ cat /proc/self/environ"), '\0');
  unsetenv("LEAK");
  std::sort(variables.begin(), variables.end());
  // PWD is the shell's own doing, as SHLVL and _ are.
  EXPECT_EQ(variables,
            (std::vector<std::string>{"", "LONG=" + sandbox_.environment["LONG"], "ODD=" + sandbox_.environment["ODD"],
                                      "PATH=/usr/bin:/bin", "PWD=/app"}));
}

TEST_F(RealSandbox, VariablesMeanNothingOutside) {
  // Were it given to bwrap as it is, the dynamic linker would complain of it on bwrap's behalf, before there is a
  // shell.
  sandbox_.environment["LD_PRELOAD"] = "/nowhere/preloaded.so";
  const CommandResult result = run_inside("true");
  EXPECT_TRUE(result.ok());
  EXPECT_EQ(lines_of(result.err).size(), 1U) << result.err;  // of the shell
}

TEST_F(RealSandbox, GivesNoCapabilityAndNoWayToGetOne) {
  const std::string status = output_of("grep -E '^(Cap|NoNewPrivs)' /proc/self/status");
  for (const std::string& line : lines_of(status)) {
    EXPECT_TRUE(line.ends_with(line.starts_with("Cap") ? "\t0000000000000000" : "\t1")) << line;
  }
  EXPECT_FALSE(run_inside("unshare --user true").ok());
  EXPECT_FALSE(run_inside("unshare --mount true").ok());
  EXPECT_FALSE(run_inside("mount -t tmpfs none /data").ok());
}

class WritableSandbox : public RealSandbox {
 protected:
  WritableSandbox() {
    for (const char* name : {"tmp", "views/en", "odd,na:me\\ x"}) make_directory(root_ / "app" / name);
    write_file(root_ / "app/views/index", "of the release");
    write_file(root_ / "app/views/en/a", "of the release");
    write_file(root_ / "app/odd,na:me\\ x/a", "of the release");
    fs::create_symlink("index", root_ / "app/views/link");
    sandbox_.writable = {"tmp", "views", "odd,na:me\\ x"};
  }
};

TEST_F(WritableSandbox, WritesToTheseDirectoriesAndTheReleaseStaysAsItIs) {
  EXPECT_EQ(output_of("echo new > tmp/x; echo new > views/link; echo new > views/new; echo new > 'odd,na:me\\ x/a'\n"
                      "rm -r views/en; mkdir views/en; ls -A views/en\n"
                      "cat tmp/x views/index views/new 'odd,na:me\\ x/a'; pwd; ls -A /tmp"),
            "new\nnew\nnew\nnew\n/app\n");
  EXPECT_FALSE(run_inside("touch /app/x").ok());
  EXPECT_TRUE(list_directory(root_ / "app/tmp").empty());
  EXPECT_EQ(list_directory(root_ / "app/views"), (std::vector<std::string>{"en", "index", "link"}));
  EXPECT_EQ(read_file(root_ / "app/views/index"), "of the release");
  EXPECT_EQ(output_of("cat views/index views/en/a 'odd,na:me\\ x/a'; ls -A tmp"),
            "of the releaseof the releaseof the release");
}

TEST_F(WritableSandbox, MayBeAllOfApp) {
  sandbox_.writable = {"."};
  EXPECT_EQ(output_of("pwd; ls; echo new > x; mkdir y; echo new > views/index; cat x views/index"),
            "/app\nodd,na:me\\ x\ntmp\nviews\nnew\nnew\n");
  EXPECT_FALSE(fs::exists(root_ / "app/x"));
}

TEST_F(WritableSandbox, KeepsTheModesOfItsDirectories) {
  fs::permissions(root_ / "app/tmp", static_cast<fs::perms>(01777));
  fs::permissions(root_ / "app/views", static_cast<fs::perms>(0750));
  EXPECT_EQ(output_of("stat -c %a tmp views"), "1777\n750\n");
}

TEST_F(WritableSandbox, RenamesDirectoriesInWhatWasEmpty) {
  EXPECT_EQ(output_of("mkdir tmp/a tmp/b; mv -T tmp/a tmp/c; rmdir tmp/b; mkdir tmp/b; ls tmp"), "b\nc\n");
}

TEST_F(WritableSandbox, HasALimitedSize) {
  const auto result = run_inside("head -c 300M /dev/zero > views/large");
  EXPECT_FALSE(result.ok());
  EXPECT_NE(result.err.find("No space left on device"), std::string::npos) << result.err;
}

TEST_F(WritableSandbox, GivesNoCapabilityAndNoMountToTheCommand) {
  for (const std::string& line : lines_of(output_of("grep -E '^(Cap|NoNewPrivs)' /proc/self/status"))) {
    EXPECT_TRUE(line.ends_with(line.starts_with("Cap") ? "\t0000000000000000" : "\t1")) << line;
  }
  for (const char* attempt : {"mount -t tmpfs none /data", "umount /app/views", "mount -o remount,rw /app",
                              "unshare --user true", "unshare --mount true", "ls /proc/1/root/"}) {
    EXPECT_FALSE(run_inside(attempt).ok()) << attempt;
  }
}

TEST_F(WritableSandbox, NamesTheDirectoryThatIsNotThere) {
  sandbox_.writable = {"missing"};
  const auto result = run_inside("true");
  EXPECT_EQ(result.describe(), "exit code 111");
  EXPECT_NE(result.err.find("pushrod-shim: make writable missing: No such file"), std::string::npos) << result.err;
}

class LayeredSandbox : public RealSandbox {
 protected:
  LayeredSandbox() {
    make_directory(root_ / "app/node_modules");
    make_directory(root_ / "layer/left/.cache");
    make_directory(root_ / "layer/right");
    write_file(root_ / "layer/left/index.js", "of the layer");
    for (const char* name : {"upper", "work"}) make_directory(root_ / "changes" / name);
    sandbox_.layers = {{root_ / "layer", "/app/node_modules"}};
  }
};

TEST_F(LayeredSandbox, ReadsTheLayerAndWritesNothingToIt) {
  EXPECT_EQ(output_of("cat node_modules/left/index.js; pwd; ls /.layers"), "of the layer/app\n");
  EXPECT_FALSE(run_inside("touch node_modules/x").ok());
  EXPECT_FALSE(run_inside("rm -r node_modules/left").ok());
}

TEST_F(LayeredSandbox, WritesBesideTheLayerWhatItChanges) {
  sandbox_.layers[0].changes = root_ / "changes";
  EXPECT_EQ(output_of("cd node_modules; echo new > left/index.js; rm -r right; mkdir added; echo 1 > added/a; ls"),
            "added\nleft\n");
  EXPECT_EQ(read_file(root_ / "layer/left/index.js"), "of the layer");
  EXPECT_TRUE(is_directory(root_ / "layer/right"));
  EXPECT_EQ(read_file(root_ / "changes/upper/left/index.js"), "new\n");
  EXPECT_EQ(output_of("cat node_modules/left/index.js node_modules/added/a; ls node_modules"), "new\n1\nadded\nleft\n");
}

TEST_F(LayeredSandbox, WritesToAWritableDirectoryInOrAroundTheLayer) {
  sandbox_.writable = {"node_modules/left/.cache"};
  EXPECT_EQ(output_of("echo 1 > node_modules/left/.cache/a; cat node_modules/left/.cache/a node_modules/left/index.js"),
            "1\nof the layer");
  EXPECT_FALSE(run_inside("touch node_modules/x").ok());
  sandbox_.writable = {"."};
  EXPECT_EQ(output_of("echo 1 > x; echo 2 > node_modules/x; cat x node_modules/x node_modules/left/index.js"),
            "1\n2\nof the layer");
  EXPECT_EQ(list_directory(root_ / "layer"), (std::vector<std::string>{"left", "right"}));
}

TEST_F(LayeredSandbox, FollowsNoSymlinkToWhereItIsMounted) {
  sandbox_.layers = {{root_ / "layer", "/app/link"}};
  for (const char* target : {"/data", "/etc", "/", "..", "node_modules", "/proc/self/root/data"}) {
    fs::remove(root_ / "app/link");
    fs::create_symlink(target, root_ / "app/link");
    const auto result = run_inside("ls /data");
    EXPECT_EQ(result.describe(), "exit code 111") << target;
    EXPECT_NE(result.err.find("pushrod-shim: mount a layer on /app/link: Too many levels of symbolic links"),
              std::string::npos)
        << result.err;
  }
  fs::remove(root_ / "app/link");
  fs::create_symlink("/data", root_ / "app/up");
  make_directory(root_ / "data/packages");
  sandbox_.layers = {{root_ / "layer", "/app/up/packages"}};
  EXPECT_EQ(run_inside("true").describe(), "exit code 111") << "a part in the middle";
  EXPECT_TRUE(list_directory(root_ / "data/packages").empty());
}

TEST_F(LayeredSandbox, GivesNoCapabilityAndNoMountToTheCommand) {
  sandbox_.layers[0].changes = root_ / "changes";
  for (const std::string& line : lines_of(output_of("grep -E '^(Cap|NoNewPrivs)' /proc/self/status"))) {
    EXPECT_TRUE(line.ends_with(line.starts_with("Cap") ? "\t0000000000000000" : "\t1")) << line;
  }
  EXPECT_FALSE(run_inside("umount /app/node_modules").ok());
  EXPECT_FALSE(run_inside("umount /.layers").ok());
}

TEST_F(RealSandbox, SeesItselfAsAnOrdinaryUserNamedApp) {
  if (getuid() == 0) {
    EXPECT_EQ(output_of("id -u"), "0\n");
  } else {
    EXPECT_EQ(output_of("id -un; id -gn"), "app\napp\n");
  }
  EXPECT_EQ(output_of("hostname; pwd"), "blog\n/app\n");
  EXPECT_EQ(output_of("ls /proc | grep -c '^[0-9]'").size(), 2U);  // a handful of processes: its own
}

TEST_F(RealSandbox, InheritsNoDescriptor) { EXPECT_EQ(output_of("exec ls /proc/self/fd"), "0\n1\n2\n3\n"); }

TEST_F(RealSandbox, EndsWithItsMainProcessAndTakesTheRestWithIt) {
  const fs::path lock = root_ / "data" / "lock";
  write_file(lock, "");
  EXPECT_TRUE(run_inside("setsid flock /data/lock sleep 1000 >/dev/null 2>&1 </dev/null & "
                         "while flock -n /data/lock true; do :; done; exit 0")
                  .ok());
  const Deadline deadline(Milliseconds{5'000});
  while (!FileLock::try_acquire(lock)) ASSERT_FALSE(deadline.passed()) << "the left-over process lives on";
}

// At every moment of its setting up: bwrap consists of two processes then, and one of them waits for the other.
TEST_F(RealSandbox, EndsWithTheProcessThatStartedItAtAnyMoment) {
  make_directory(root_ / "data" / "began");
  prctl(PR_SET_CHILD_SUBREAPER, 1);  // what outlives its parents becomes our child
  for (int round = 0; round < 72; ++round) {
    const pid_t starter = fork();
    ASSERT_GE(starter, 0);
    if (starter == 0) {
      try {
        run_inside("echo $$ > /data/began/" + std::to_string(round) + "; exec sleep 1000");
      } catch (...) {
      }
      _exit(0);
    }
    usleep(static_cast<useconds_t>(round) * 250);
    kill(starter, SIGKILL);
    waitpid(starter, nullptr, 0);
  }
  const Deadline deadline(std::chrono::seconds{10});
  pid_t ended = 0;
  while ((ended = waitpid(-1, nullptr, WNOHANG)) >= 0 && !deadline.passed()) {
    if (ended == 0) usleep(10'000);
  }
  EXPECT_EQ(ended, -1) << "a child is left: " << read_file("/proc/thread-self/children").value_or("");
  for (const std::string& left : split(trim(read_file("/proc/thread-self/children").value_or("")), ' ')) {
    if (const auto pid = parse_unsigned(left)) kill(static_cast<pid_t>(*pid), SIGKILL);
  }
  prctl(PR_SET_CHILD_SUBREAPER, 0);
}

TEST_F(RealSandbox, EndsAsItsCommandDid) {
  const CommandResult failed = run_inside("exit 7");
  EXPECT_EQ(failed.describe(), "exit code 7");
}

TEST_F(RealSandbox, ResolvesNamesAndKnowsCertificates) {
  EXPECT_EQ(output_of("getent hosts localhost | grep -c localhost"), "1\n");
  EXPECT_TRUE(run_inside("test -r /etc/ssl/openssl.cnf && awk 'BEGIN { exit 0 }'").ok());  // awk is an alternative
  EXPECT_TRUE(run_inside("grep -q ^ID= /etc/os-release").ok()) << "installers choose programs by that";
}

TEST_F(RealSandbox, ResolvesItsOwnNameAndLocalhostToTheFourthVersionFirst) {
  sandbox_.host_name = "blog";
  write_sandbox_hosts(sandbox_);
  EXPECT_EQ(output_of("getent ahosts $(hostname) | awk '{ print $1 }' | uniq"), "127.0.0.1\n::1\n");
  EXPECT_EQ(output_of("getent ahosts localhost | awk '{ print $1 }' | uniq"), "127.0.0.1\n::1\n");
  EXPECT_FALSE(run_inside("echo 10.0.0.1 evil >> /etc/hosts").ok());
}

TEST_F(RealSandbox, RunsCommandsByBashWhereThereIsOne) {
  ASSERT_EQ(command_shell(), "/bin/bash") << "apt-get install bash";
  EXPECT_EQ(output_of("words=(a b); [[ ${words[1]} == b ]] && echo ${#words[@]}"), "2\n");
}

TEST(SandboxEtc, FollowsTheHost) {
  std::string pattern = (fs::temp_directory_path() / "etc-test.XXXXXX").native();
  const fs::path root = mkdtemp(pattern.data());
  const fs::path etc = write_sandbox_etc(root / "etc");
  const auto hosts = render_hosts(read_file("/etc/hosts").value_or(""), "");
  EXPECT_EQ(read_file(etc / "hosts"), hosts);
  EXPECT_EQ(read_file(etc / "resolv.conf"), read_file("/etc/resolv.conf"));
  EXPECT_NE(read_file(etc / "passwd")->find(":x:" + std::to_string(getuid()) + ":"), std::string::npos);
  EXPECT_FALSE(fs::exists(etc / "shadow"));

  write_file(etc / "hosts", "stale");
  write_sandbox_etc(etc);
  EXPECT_EQ(read_file(etc / "hosts"), hosts);
  struct stat before {};
  struct stat after {};
  stat((etc / "hosts").c_str(), &before);
  write_sandbox_etc(etc);
  stat((etc / "hosts").c_str(), &after);
  EXPECT_EQ(before.st_ino, after.st_ino) << "what has not changed is not written";
  remove_tree(root);
}

}  // namespace
}  // namespace pushrod
