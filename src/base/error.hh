// Errors as values that people read: what failed, and what to do next.
// Thrown where the failure is found, and shown once, at the top of a command or a worker.
#pragma once

#include <exception>
#include <string>
#include <utility>
#include <vector>

namespace pushrod {

// Pushrod failed, or the machine did (exit 70). It has a message, a hint (what to do) and evidence (the last lines of
// output of the program that failed).
class Error : public std::exception {
 public:
  explicit Error(std::string message, std::string hint = {}) : message_(std::move(message)), hint_(std::move(hint)) {}

  const char* what() const noexcept override { return message_.c_str(); }
  const std::string& message() const noexcept { return message_; }
  const std::string& hint() const noexcept { return hint_; }
  const std::vector<std::string>& evidence() const noexcept { return evidence_; }

  void set_hint(std::string hint) { hint_ = std::move(hint); }
  void set_evidence(std::vector<std::string> lines) { evidence_ = std::move(lines); }

 private:
  std::string message_;
  std::string hint_;
  std::vector<std::string> evidence_;
};

// The request is wrong, and only its author can correct it (exit 1).
class UserError : public Error {
 public:
  using Error::Error;
};

// The words of the command line are wrong (exit 2).
class UsageError : public UserError {
 public:
  using UserError::UserError;
};

// The work was stopped by a request to cancel it. `what` names the work: "the build".
class Cancelled : public UserError {
 public:
  explicit Cancelled(const std::string& what = {}) : UserError(what.empty() ? "cancelled" : what + " was cancelled") {}
};

// A system call failed. The message names the call's purpose and the errno text; code() is the errno.
class SystemError : public Error {
 public:
  SystemError(const std::string& doing, int code);
  int code() const noexcept { return code_; }

 private:
  int code_;
};

// Throws SystemError(doing, errno).
[[noreturn]] void throw_errno(const std::string& doing);

enum ExitCode : int { kExitOk = 0, kExitRequest = 1, kExitUsage = 2, kExitInternal = 70 };

}  // namespace pushrod
