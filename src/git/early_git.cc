// Runs git on a thread of its own, which reads git's output, while the caller still prepares the input.
#include "git/early_git.hh"

#include <sys/eventfd.h>

#include <cerrno>

#include "base/error.hh"
#include "os/files.hh"

namespace pushrod {

namespace {

constexpr Milliseconds kUntilFinish = std::chrono::hours(24 * 365);  // the caller decides how long it waits

}  // namespace

EarlyGit::EarlyGit(Command command) : deadline_(command.deadline), cancel_(eventfd(0, EFD_CLOEXEC)) {
  if (!cancel_) throw_errno("make an event for git");
  Pipe pipe = make_pipe();
  input_ = std::move(pipe.write_end);
  command.deadline = kUntilFinish;
  command.cancel_fd = cancel_.get();
  // The thread outlives git, which dies with the thread that started it.
  result_ = std::async(std::launch::async, [command, read_end = std::move(pipe.read_end)]() mutable {
    command.input_fd = read_end.get();
    return run(command);
  });
}

EarlyGit::~EarlyGit() {
  input_.reset();
  if (result_.valid() && result_.wait_for(deadline_) != std::future_status::ready) eventfd_write(cancel_.get(), 1);
}

CommandResult EarlyGit::finish(std::string_view input) {
  try {
    write_all(input_.get(), input, "give git its input");
  } catch (const SystemError& error) {
    if (error.code() != EPIPE) throw;  // git has ended: its result says how
  }
  input_.reset();
  if (result_.wait_for(deadline_) != std::future_status::ready) eventfd_write(cancel_.get(), 1);
  return result_.get();
}

}  // namespace pushrod
