// Fork and exec, and the end of what they started.
// The only place in the product that starts a process. command.cc runs one to its end on top of it.
#include <fcntl.h>
#include <linux/close_range.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <mutex>

#include "base/error.hh"
#include "base/text.hh"
#include "os/clock.hh"
#include "os/command.hh"
#include "os/pidfd.hh"
#include "os/retry.hh"

namespace pushrod {

namespace {

// Where the way from fork to the program's first instruction can end.
enum class Stage : int { ProcessGroup, ParentDeath, StandardDescriptors, Inherit, ChangeDirectory, Confinement, Exec };

const char* name_of(Stage stage) {
  switch (stage) {
    case Stage::ProcessGroup:
      return "process group";
    case Stage::ParentDeath:
      return "parent-death signal";
    case Stage::StandardDescriptors:
      return "standard descriptors";
    case Stage::Inherit:
      return "inherited descriptors";
    case Stage::ChangeDirectory:
      return "chdir";
    case Stage::Confinement:
      return "limits";
    case Stage::Exec:
      return "exec";
  }
  return "unknown stage";
}

// What the child tells its parent when it could not become the program.
struct StartFailure {
  Stage stage;
  int code;
};

// A command in the form that execve takes, made before the fork: between fork and exec nothing may be allocated.
class ExecImage {
 public:
  explicit ExecImage(const Command& command) : command_(command) {
    if (command.argv.empty() || command.argv.front().empty()) throw Error("start a program: it has no name");
    for (const std::string& argument : command.argv) {
      // execve would cut it there, and the program would be asked for something else.
      if (argument.find('\0') != std::string::npos) {
        throw Error("start " + quoted(command.argv.front()) + ": an argument holds a NUL byte: " + quoted(argument));
      }
      argv_.push_back(const_cast<char*>(argument.c_str()));
    }
    argv_.push_back(nullptr);
    variables_.reserve(command.environment.size());
    for (const auto& [name, value] : command.environment) {
      std::string& variable = variables_.emplace_back(name);
      variable.append("=").append(value);
      if (variable.find('\0') != std::string::npos) {
        throw Error("start " + quoted(command.argv.front()) + ": variable " + quoted(name) + " holds a NUL byte");
      }
      environment_.push_back(variable.data());
    }
    environment_.push_back(nullptr);
    if (command.argv.front().find('/') != std::string::npos) {
      program_ = command.argv.front();
    } else if (const auto found = find_program(command.argv.front(), command.environment)) {
      program_ = found->native();
    } else {
      const auto search_path = command.environment.find("PATH");
      throw Error(
          "start " + quoted(command.argv.front()) + ": lookup: no such program on the PATH",
          "The PATH is " +
              (search_path == command.environment.end() ? std::string("empty") : quoted(search_path->second, 1024)) +
              ".");
    }
  }

  // Returns only when it failed, with errno set.
  void exec() const noexcept { execve(program_.c_str(), argv_.data(), environment_.data()); }

  [[noreturn]] void throw_failure(Stage stage, int code) const {
    std::string doing = "start " + quoted(command_.argv.front()) + ": " + name_of(stage);
    if (stage == Stage::ChangeDirectory) doing += " to " + quoted(command_.directory.native());
    if (stage == Stage::Exec) doing += " " + quoted(program_);
    SystemError error(doing, code);
    if (stage == Stage::Exec && code == ENOENT && access(program_.c_str(), F_OK) == 0) {
      error.set_hint("The program is there; the interpreter that its first line names is not.");
    }
    throw error;
  }

 private:
  const Command& command_;
  std::string program_;
  std::vector<char*> argv_;
  std::vector<std::string> variables_;
  std::vector<char*> environment_;
};

// Every signal blocked for the time of the fork: no handler of this process may run in the child.
class AllSignalsBlocked {
 public:
  AllSignalsBlocked() {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  AllSignalsBlocked(const AllSignalsBlocked&) = delete;
  AllSignalsBlocked& operator=(const AllSignalsBlocked&) = delete;
  ~AllSignalsBlocked() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

 private:
  sigset_t before_{};
};

bool clear_close_on_exec(const std::vector<int>& fds) noexcept {
  for (const int fd : fds) {
    const int flags = fcntl(fd, F_GETFD);
    if (flags < 0 || fcntl(fd, F_SETFD, flags & ~FD_CLOEXEC) != 0) return false;
  }
  return true;
}

struct ChildSide {
  const Command& command;
  const ExecImage& image;
  std::array<int, 3> standard;
  int report;
  pid_t parent;
};

// From here to exec only async-signal-safe calls: another thread of the parent may hold any lock, and memory is shared.
[[noreturn]] void fail_in_child(const ChildSide& child, Stage stage) noexcept {
  const StartFailure failure{stage, errno};
  static_cast<void>(!write(child.report, &failure, sizeof failure));
  _exit(127);
}

[[noreturn]] void become_program(ChildSide child) noexcept {
  // Above the standard descriptors, so that putting those in place overwrites nothing that is still needed.
  if (child.report < 3) child.report = fcntl(child.report, F_DUPFD_CLOEXEC, 3);
  if (setpgid(0, 0) != 0) fail_in_child(child, Stage::ProcessGroup);
  if (child.command.die_with_parent) {
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) fail_in_child(child, Stage::ParentDeath);
    if (getppid() != child.parent) _exit(127);  // it died before it could have taken us with it
  }
  // The capability to open ports below 1024 is for what replaces us alone, and bwrap refuses to run with any. It fails
  // on kernels that know no ambient capabilities, where there is nothing to clear.
  prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
  for (int& fd : child.standard) {
    if (fd < 3) fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
    if (fd < 0) fail_in_child(child, Stage::StandardDescriptors);
  }
  for (int number = 0; number < 3; ++number) {
    if (dup2(child.standard[static_cast<std::size_t>(number)], number) < 0) {
      fail_in_child(child, Stage::StandardDescriptors);
    }
  }
  // Everything is close-on-exec from birth; this is for what a library or the parent of this process left open.
  close_range(3, ~0U, CLOSE_RANGE_CLOEXEC);
  if (!clear_close_on_exec(child.command.inherit)) fail_in_child(child, Stage::Inherit);
  if (!child.command.directory.empty() && chdir(child.command.directory.c_str()) != 0) {
    fail_in_child(child, Stage::ChangeDirectory);
  }
  if (!confine(child.command.confinement)) fail_in_child(child, Stage::Confinement);
  struct sigaction standard {};
  standard.sa_handler = SIG_DFL;
  for (int number = 1; number < NSIG; ++number) sigaction(number, &standard, nullptr);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  child.image.exec();
  fail_in_child(child, Stage::Exec);
}

// Waits for the child to become its program or to say why it could not.
std::optional<StartFailure> read_report(int fd) {
  StartFailure failure{};
  const ssize_t got = retry_interrupted([&] { return read(fd, &failure, sizeof failure); });
  if (got < 0) throw_errno("read how a program started");
  if (got != sizeof failure) return std::nullopt;
  return failure;
}

CommandResult result_of(const siginfo_t& end) {
  CommandResult result;
  result.end = end.si_code == CLD_EXITED ? CommandResult::End::Exited : CommandResult::End::Signalled;
  result.code = end.si_status;
  return result;
}

}  // namespace

int own_pidfd() {
  static std::mutex mutex;
  static UniqueFd fd;
  static pid_t of = -1;  // a fork takes it along, and it is another's then
  const std::lock_guard lock(mutex);
  if (of != getpid()) {
    fd = UniqueFd(pidfd_open(getpid(), 0));
    if (!fd) throw_errno("open a descriptor of this process");
    of = getpid();
  }
  return fd.get();
}

ChildProcess ChildProcess::start(const Command& command, int in, int out, int err) {
  const ExecImage image(command);
  UniqueFd null;
  std::array<int, 3> standard{in, out, err};
  for (int& fd : standard) {
    if (fd >= 0) continue;
    if (!null) null = UniqueFd(open("/dev/null", O_RDWR | O_CLOEXEC));
    if (!null) throw_errno("open /dev/null");
    fd = null.get();
  }
  Pipe report = make_pipe();
  const ChildSide child_side{command, image, standard, report.write_end.get(), getpid()};

  pid_t pid = -1;
  {
    const AllSignalsBlocked blocked;
    // The child works in our memory and on our stack, while this thread waits, until it executes the program. That
    // saves a copy of the page tables; it is why the child's side only makes system calls.
    pid = vfork();  // NOLINT(clang-analyzer-security.insecureAPI.vfork)
    if (pid == 0) become_program(child_side);
  }
  if (pid < 0) throw_errno("start " + quoted(command.argv.front()) + ": fork");
  report.write_end.reset();
  ChildProcess child(pid, UniqueFd(pidfd_open(pid, 0)));
  if (!child.pidfd_) throw_errno("start " + quoted(command.argv.front()) + ": pidfd_open");
  // Once this has returned the child has its own group, so that killing the group reaches it.
  if (const auto failure = read_report(report.read_end.get())) image.throw_failure(failure->stage, failure->code);
  return child;
}

ChildProcess::ChildProcess(ChildProcess&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)), pidfd_(std::move(other.pidfd_)), started_(other.started_) {}

ChildProcess& ChildProcess::operator=(ChildProcess&& other) noexcept {
  std::swap(pid_, other.pid_);
  std::swap(pidfd_, other.pidfd_);
  std::swap(started_, other.started_);
  return *this;
}

ChildProcess::~ChildProcess() { kill_group(); }

std::optional<CommandResult> ChildProcess::wait(std::chrono::milliseconds at_most) {
  if (pid_ < 0) throw Error("wait for a program: its end was already seen");
  if (!wait_for(pidfd_.get(), POLLIN, Deadline(at_most))) return std::nullopt;
  // Looked at before it is reaped: as long as it is not, its number, which is also its group's, cannot be reused.
  siginfo_t end{};
  const int looked = retry_interrupted([&] { return waitid(P_PID, static_cast<id_t>(pid_), &end, WEXITED | WNOWAIT); });
  if (looked != 0) throw_errno("wait for process " + std::to_string(pid_));
  CommandResult result = result_of(end);
  result.elapsed = started_.elapsed();
  kill_group();
  return result;
}

void ChildProcess::kill_group() {
  if (pid_ < 0) return;
  // The group, and the child itself in case it died or failed before it had a group.
  kill(-pid_, SIGKILL);
  kill(pid_, SIGKILL);
  siginfo_t end{};
  static_cast<void>(retry_interrupted([&] { return waitid(P_PID, static_cast<id_t>(pid_), &end, WEXITED); }));
  pid_ = -1;
}

void ChildProcess::signal(int number) const {
  if (pid_ < 0) return;
  if (pidfd_send_signal(pidfd_.get(), number, nullptr, 0) != 0 && errno != ESRCH) {
    throw_errno("signal process " + std::to_string(pid_));
  }
}

void replace_process(const Command& command) {
  const ExecImage image(command);
  if (!clear_close_on_exec(command.inherit)) image.throw_failure(Stage::Inherit, errno);
  if (!command.directory.empty() && chdir(command.directory.c_str()) != 0) {
    image.throw_failure(Stage::ChangeDirectory, errno);
  }
  if (!confine(command.confinement)) image.throw_failure(Stage::Confinement, errno);
  // Handlers go by themselves at exec; what we ignore (SIGPIPE) and block would be passed on.
  std::vector<int> ignored;
  for (int number = 1; number < NSIG; ++number) {
    struct sigaction action {};
    if (sigaction(number, nullptr, &action) != 0 || action.sa_handler != SIG_IGN) continue;
    action.sa_handler = SIG_DFL;
    if (sigaction(number, &action, nullptr) == 0) ignored.push_back(number);
  }
  sigset_t none;
  sigset_t before;
  sigemptyset(&none);
  pthread_sigmask(SIG_SETMASK, &none, &before);
  image.exec();
  const int code = errno;
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  for (const int number : ignored) static_cast<void>(::signal(number, SIG_IGN));
  image.throw_failure(Stage::Exec, code);
}

}  // namespace pushrod
