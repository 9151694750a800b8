// How a program ended.
#pragma once

#include <optional>
#include <string>

namespace pushrod {

struct ExitStatus {
  enum class Kind {
    Exited,
    Signalled,
    OutOfMemory,  // the kernel ended it, because its memory limit was reached
  };
  Kind kind = Kind::Exited;
  int number = 0;  // exit code, or signal

  static ExitStatus exited(int code) { return {Kind::Exited, code}; }
  static ExitStatus signalled(int signal) { return {Kind::Signalled, signal}; }
  static ExitStatus out_of_memory() { return {Kind::OutOfMemory, 0}; }
  bool is_success() const { return *this == exited(0); }
  bool operator==(const ExitStatus&) const = default;
};

// "exit code 1", "SIGKILL", "signal 35", "killed: out of memory"
std::string to_string(const ExitStatus& status);
// Empty for a program that has never ended.
std::string to_string(const std::optional<ExitStatus>& status);
// The end of a sentence that the program's name begins: "ended with exit code 1", "was killed: out of memory"; "ended"
// when it is not known how.
std::string describe_end(const std::optional<ExitStatus>& status);

}  // namespace pushrod
