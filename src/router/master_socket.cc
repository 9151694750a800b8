// Tells "not running" from "away for a moment".
// Floor 3.
#include "router/master_socket.hh"

#include <fmt/format.h>

#include <cerrno>
#include <thread>

#include "base/error.hh"
#include "os/socket.hh"

namespace pushrod {

namespace {

constexpr Milliseconds kAnswer{10'000};
constexpr Milliseconds kAway{2'000};
// The socket is gone between two runs of the master, and a new one may refuse for a moment: no event tells when it
// answers.
constexpr Milliseconds kPause{2};

// The master's words when the process behind the prefix is not there (yet, or any more).
bool is_nobody(std::string_view answer) { return answer.starts_with("Can't find the target"); }

}  // namespace

std::optional<std::string> MasterSocket::ask_when_there(std::string_view line) const {
  const Deadline deadline(kAway);
  while (true) {
    try {
      auto answer = ask_unix_socket(path_, line, kAnswer);
      if (!answer.empty() && !is_nobody(answer)) return answer;
    } catch (const SystemError& error) {
      if (error.code() == ENOENT) return {};
      if (error.code() != ECONNREFUSED && error.code() != ECONNRESET && error.code() != EPIPE) throw;
    }
    if (deadline.passed()) return {};
    std::this_thread::sleep_for(kPause);
  }
}

std::optional<Processes> MasterSocket::processes() const {
  const auto answer = ask_when_there("show proc; quit\n");
  if (!answer) return {};
  return parse_processes(*answer);
}

std::optional<std::string> MasterSocket::ask_current(std::string_view commands) const {
  return ask_when_there(fmt::format("@1; {}; quit\n", commands));
}

std::optional<std::string> MasterSocket::ask(pid_t worker, std::string_view commands) const {
  auto answer = ask_when_there(fmt::format("show proc; @!{}; {}; quit\n", worker, commands));
  if (!answer || answer->find("\nCan't find the target") != std::string::npos) return {};
  return answer;
}

void MasterSocket::reload() const {
  try {
    ask_unix_socket(path_, "reload\n", kAnswer);
  } catch (const SystemError& error) {
    if (error.code() != ECONNRESET) throw;
  }
}

}  // namespace pushrod
