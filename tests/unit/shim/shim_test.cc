// ./run of a service that is no instance, and what every program of the shim finds.
#include "fixtures.hh"

namespace pushrod {
namespace {

class Shim : public ServiceDirectory {
 protected:
  CommandResult run_spec(const std::string& script, const std::vector<std::string>& more = {}) const {
    std::vector<std::string> entries{"mode=exec", "arg=/bin/sh", "arg=-c", "arg=" + script};
    entries.insert(entries.end(), more.begin(), more.end());
    write_spec(entries);
    return run(shim());
  }
};

TEST_F(Shim, BecomesTheProgramWithItsVariablesAlone) {
  write_spec({"mode=exec", "arg=env", "env=A=1"});
  auto command = shim();
  command.environment["B"] = "2";
  EXPECT_EQ(run(command).out, "A=1\n");
}

TEST_F(Shim, SendsErrorsToTheLogUnlessTheSpecSaysOtherwise) {
  EXPECT_EQ(run_spec("echo out; echo err >&2").out, "out\nerr\n");
  const auto apart = run_spec("echo out; echo err >&2", {"keep_stderr=1"});
  EXPECT_EQ(apart.out, "out\n");
  EXPECT_EQ(apart.err, "err\n");
}

TEST_F(Shim, LeavesNoDescriptorsNoCapabilitiesAndAClosedUmask) {
  EXPECT_EQ(run_spec("exec ls /proc/self/fd").out, "0\n1\n2\n3\n");
  EXPECT_EQ(run_spec("umask").out, "0077\n");
  if (getuid() != 0) {
    EXPECT_EQ(run_spec("grep CapEff /proc/self/status").out, "CapEff:\t0000000000000000\n");
  }
}

TEST_F(Shim, SaysInTheLogWhyItCannotStart) {
  const auto result = run(shim());
  EXPECT_EQ(result.code, 111);
  EXPECT_EQ(result.out, "pushrod-shim: open ./spec: No such file or directory\n");
  write_spec({"mode=exec", "arg=/no/such/program"});
  EXPECT_EQ(run(shim()).out, "pushrod-shim: start /no/such/program: No such file or directory\n");
}

TEST_F(Shim, DoesNotStartWhenItsSupervisorIsGone) {
  make_directory(root_ / "supervise");
  write_file(root_ / "supervise" / "lock", "");
  const auto result = run_spec("echo up");
  EXPECT_EQ(result.code, 111);
  EXPECT_EQ(result.out, "");
}

TEST_F(Shim, TellsS6ThatItHasStarted) {
  auto notification = make_pipe();
  // The shell puts it where s6 would.
  write_spec({"mode=exec", "arg=true"});
  auto command = shim();
  command.argv = {"/bin/sh", "-c", fmt::format("exec {} 3>&{}", shim_program(), notification.write_end.get())};
  command.inherit = {notification.write_end.get()};
  EXPECT_TRUE(run(command).ok());
  char text[8] = {};
  EXPECT_EQ(read(notification.read_end.get(), text, sizeof text), 1);
  EXPECT_STREQ(text, "\n");
}

TEST_F(Shim, JoinsACgroupAndBecomesTheCommand) {
  write_file(root_ / "cgroup.procs", "");
  Command command;
  command.argv = {shim_program(), "join", (root_ / "cgroup.procs").native(), "/bin/sh", "-c", "echo joined"};
  EXPECT_EQ(run(command).out, "joined\n");
  EXPECT_EQ(read_file(root_ / "cgroup.procs"), "0");
}

}  // namespace
}  // namespace pushrod
