// A git that starts before its input is known. Starting git takes one to two milliseconds; done early, on the other
// processor, it does not make the push wait.
#pragma once

#include <future>
#include <string_view>

#include "os/command.hh"
#include "os/unique_fd.hh"

namespace pushrod {

class EarlyGit {
 public:
  // Starts the command, whose standard input stays open until finish(). Its deadline counts from finish() on. Throws
  // SystemError; that git could not be started is reported by finish().
  explicit EarlyGit(Command command);
  // Without finish(), git reads the end of an empty input and has nothing to do. Waits for its end.
  ~EarlyGit();
  EarlyGit(const EarlyGit&) = delete;
  EarlyGit& operator=(const EarlyGit&) = delete;

  // Gives git its whole input, and waits for its end. Called at most once. A git that has died reports so in the
  // result; throws Error when it was never started.
  CommandResult finish(std::string_view input);

 private:
  Milliseconds deadline_;
  UniqueFd input_;  // write end of the pipe
  UniqueFd cancel_;
  std::future<CommandResult> result_;
};

}  // namespace pushrod
