#include "model/exit_status.hh"

#include <fmt/format.h>

#include <cstring>

namespace pushrod {

std::string to_string(const ExitStatus& status) {
  switch (status.kind) {
    case ExitStatus::Kind::Exited:
      return fmt::format("exit code {}", status.number);
    case ExitStatus::Kind::OutOfMemory:
      return "killed: out of memory";
    case ExitStatus::Kind::Signalled:
      break;
  }
  // Real-time signals have no names.
  const char* name = sigabbrev_np(status.number);
  return name != nullptr ? fmt::format("SIG{}", name) : fmt::format("signal {}", status.number);
}

std::string to_string(const std::optional<ExitStatus>& status) { return status ? to_string(*status) : std::string{}; }

std::string describe_end(const std::optional<ExitStatus>& status) {
  if (!status) return "ended";
  return (status->kind == ExitStatus::Kind::OutOfMemory ? "was " : "ended with ") + to_string(*status);
}

}  // namespace pushrod
