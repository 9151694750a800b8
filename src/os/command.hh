// Running other programs: the one place in the product that starts a process.
// An argument vector, never a shell; every child has a deadline and an output cap.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "os/clock.hh"
#include "os/confinement.hh"
#include "os/unique_fd.hh"

namespace pushrod {

using Environment = std::map<std::string, std::string>;

// This process's environment reduced to what tools need: PATH (with /usr/sbin), HOME, LANG=C.UTF-8, TZ.
Environment tool_environment();

struct Command {
  std::vector<std::string> argv;  // argv[0] is looked up on the PATH of `environment` unless it has a slash
  Environment environment = tool_environment();
  std::filesystem::path directory;  // empty: that of this process
  std::string input;                // written to its standard input, which is then closed (/dev/null when empty)
  std::optional<int> input_fd;      // instead of `input`: this descriptor becomes its standard input
  std::chrono::milliseconds deadline{60'000};
  std::size_t output_cap = std::size_t{16} << 20;  // standard output plus standard error
  bool merge_output = false;                       // standard error goes where standard output goes
  // Descriptors that the child inherits under the same number.
  std::vector<int> inherit;
  // Called with each chunk of either output instead of gathering it (output_cap holds all the same); return false to
  // kill the child (not an error by itself).
  std::function<bool(std::string_view)> on_output;
  // The child is killed when it has written nothing for so long. 0: it may be silent.
  std::chrono::milliseconds silence{0};
  // Asked when the time of silence is up; true: it did something else meanwhile, and may be silent for so long again.
  std::function<bool()> shows_life;
  // Called about once a second while the child runs; returns false to kill it (End::Stopped).
  std::function<bool()> on_tick;
  // A descriptor that, when readable, kills the child (a request to cancel). -1: none.
  int cancel_fd = -1;
  // The kernel kills the child when the thread that started it ends (PR_SET_PDEATHSIG). Its descendants may go on.
  bool die_with_parent = true;
  // See os/confinement.hh. Also for replace_process().
  Confinement confinement;
};

struct CommandResult {
  enum class End { Exited, Signalled, TimedOut, OutputTooLong, Silent, Stopped /* a callback said so */, Cancelled };
  End end = End::Exited;
  int code = 0;  // exit code, or signal number
  std::string out;
  std::string err;
  std::chrono::milliseconds elapsed{0};
  std::chrono::milliseconds limit{0};  // the deadline that it had

  bool ok() const noexcept { return end == End::Exited && code == 0; }
  // "exit code 3", "killed by SIGKILL", "ran longer than 60 s", …
  std::string describe() const;
};

// Runs to its end. Throws Error when it cannot be started (naming the stage: lookup, fork, chdir, exec).
CommandResult run(const Command& command);
// Runs and throws Error unless it exited with 0; the error names the program, how it ended, and the last lines of
// standard error as evidence. Returns standard output.
std::string run_checked(const Command& command);

// A running child in a process group of its own. The destructor kills the group and reaps the child.
class ChildProcess {
 public:
  // Starts command.argv with the given descriptors as 0, 1 and 2 (each -1: /dev/null). Only argv, environment,
  // directory, inherit, die_with_parent and confinement of the command are used.
  static ChildProcess start(const Command& command, int in, int out, int err);

  ChildProcess(ChildProcess&& other) noexcept;
  ChildProcess& operator=(ChildProcess&& other) noexcept;
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;
  ~ChildProcess();

  pid_t pid() const noexcept { return pid_; }
  // A pidfd: readable when the child has ended.
  int event_fd() const noexcept { return pidfd_.get(); }
  // Waits for the end, at most until the deadline; absent if it still runs. Once the child has ended, what is left of
  // its group is killed. Throws Error when its end was already seen.
  std::optional<CommandResult> wait(std::chrono::milliseconds at_most);
  // SIGKILL to the whole group, then reaps.
  void kill_group();
  // To the child alone; nothing when it has ended.
  void signal(int number) const;

 private:
  ChildProcess(pid_t pid, UniqueFd pidfd) : pid_(pid), pidfd_(std::move(pidfd)) {}
  pid_t pid_ = -1;  // -1: reaped or moved from
  UniqueFd pidfd_;
  Stopwatch started_;
};

// Replaces this process. Returns only by throwing.
[[noreturn]] void replace_process(const Command& command);

// Where a program lies on the PATH; absent if nowhere.
std::optional<std::filesystem::path> find_program(const std::string& name,
                                                  const Environment& environment = tool_environment());

// A pidfd of this process, for children to inherit: readable for them once this process has ended. Ours for good.
int own_pidfd();

// The absolute path of the running program itself.
std::filesystem::path own_program();

}  // namespace pushrod
