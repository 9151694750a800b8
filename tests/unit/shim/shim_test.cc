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

TEST_F(Shim, LetsInputGatherForTheProgram) {
  write_spec({"mode=exec", "arg=dd", "arg=bs=64k", "arg=of=copy", "keep_stderr=1", "gather=1"});
  auto command = shim();
  const auto lines = "i=0; while [ $i -lt 200 ]; do echo line; i=$((i+1)); sleep 0.002; done";
  command.argv = {"/bin/sh", "-c", fmt::format("({}) | exec {}", lines, shim_program())};
  const auto result = run(command);
  EXPECT_TRUE(result.ok()) << result.err;
  unsigned reads = 0;
  ASSERT_EQ(sscanf(result.err.c_str(), "%*u+%u records in", &reads), 1) << result.err;
  EXPECT_LT(reads, 100u) << "each wakes the program";
  EXPECT_EQ(read_file(root_ / "copy")->size(), 200 * 5u);
}

TEST_F(Shim, LosesNothingOfALongInput) {
  write_spec({"mode=exec", "arg=cat", "gather=1"});
  auto command = shim();
  for (unsigned number = 0; command.input.size() < 3'000'000; ++number) command.input += fmt::format("{}\n", number);
  EXPECT_EQ(run(command).out, command.input);
}

TEST_F(Shim, GathersForNoLongerThanTheProgramLives) {
  write_spec({"mode=exec", "arg=sleep", "arg=100", "gather=1"});
  const auto input = make_pipe();
  auto program = ChildProcess::start(shim(), input.read_end.get(), -1, -1);
  const auto children = fmt::format("/proc/{0}/task/{0}/children", program.pid());
  std::string gatherer;
  ASSERT_TRUE(eventually([&] { return !(gatherer = trim(read_file(children).value_or(""))).empty(); }));
  program.signal(SIGKILL);
  EXPECT_TRUE(program.wait(Milliseconds{10'000}));
  EXPECT_TRUE(eventually([&] { return read_file("/proc/" + gatherer + "/cmdline").value_or("").empty(); }));
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
