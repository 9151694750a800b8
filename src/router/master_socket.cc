// Tells "not running" from "away for a moment", and a whole answer from one whose worker ended in the middle of it.
#include "router/master_socket.hh"

#include <fmt/format.h>

#include <cerrno>
#include <thread>

#include "base/error.hh"
#include "base/text.hh"
#include "os/files.hh"
#include "os/process_tree.hh"
#include "os/socket.hh"
#include "router/files.hh"

namespace pushrod {

namespace {

constexpr Milliseconds kAnswer{10'000};
// How long a live master may be away, and for how long none may be seen before it counts as not running: one that has
// just been started has read its configuration before it says its process number.
constexpr Milliseconds kAway{20'000};
constexpr Milliseconds kGone{200};
// No event tells when a socket answers again.
constexpr Milliseconds kPause{2};

// The master's words when the process behind the prefix is not there (yet, or any more).
constexpr std::string_view kNobody = "Can't find the target";

// HAProxy ends every answer with an empty line.
bool is_ended(std::string_view answer) { return answer.ends_with("\n\n"); }

// What comes after the first answer of two.
std::string_view second_answer(std::string_view both) {
  const auto end = both.find("\n\n");
  return end == both.npos ? std::string_view{} : both.substr(end + 2);
}

}  // namespace

bool MasterSocket::is_alive() const {
  const auto text = read_file(directory_ / kProcessFile);
  if (!text) return false;
  const auto pid = parse_unsigned(trim(*text));
  if (!pid) return true;  // being written
  // Empty for a process that has ended and was not waited for yet.
  return read_file(fmt::format("/proc/{}/cmdline", *pid)).value_or("").find("haproxy") != std::string::npos;
}

MasterSocket::Reply MasterSocket::ask_once(std::string_view line, Milliseconds at_most) const {
  try {
    return {false, ask_unix_socket(directory_ / kMasterSocket, line, at_most)};
  } catch (const SystemError& error) {
    switch (error.code()) {
      case ETIMEDOUT:
        return {true, {}};
      case ENOENT:
      case ECONNREFUSED:
      case ECONNRESET:
      case EPIPE:
        return {};
      default:
        throw;
    }
  }
}

std::vector<pid_t> MasterSocket::all_processes() const {
  const auto text = read_file(directory_ / kProcessFile);
  const auto pid = text ? parse_unsigned(trim(*text)) : std::nullopt;
  if (!pid || !is_alive()) return {};
  std::vector<pid_t> processes{static_cast<pid_t>(*pid)};
  for (const pid_t child : descendants_of(processes.front())) processes.push_back(child);
  return processes;
}

std::optional<std::string> MasterSocket::ask_until(const std::function<bool(std::string_view)>& is_whole,
                                                   std::string_view line) const {
  const Deadline away(kAway);
  std::optional<Deadline> gone;  // since it was first not seen; for a moment of its exec it looks as if it had ended
  while (true) {
    auto reply = ask_once(line, kAnswer);
    if (is_whole(reply.answer)) return std::move(reply.answer);
    // The daemon's watchdog ends what does not answer, and then it is started again.
    if (reply.is_silent && away.passed()) {
      throw SystemError("ask the socket " + quoted((directory_ / kMasterSocket).native()), ETIMEDOUT);
    }
    if (is_alive()) {
      gone.reset();
    } else if (!gone) {
      gone.emplace(kGone);
    }
    if (away.passed() || (gone && gone->passed())) return {};
    std::this_thread::sleep_for(kPause);
  }
}

std::optional<Processes> MasterSocket::processes() const {
  const auto answer = ask_until(is_ended, "show proc\n");
  if (!answer) return {};
  return parse_processes(*answer);
}

std::optional<std::string> MasterSocket::ask_current(std::string_view commands) const {
  return ask_until(is_ended, fmt::format("@1; {}\n", commands));
}

std::optional<std::string> MasterSocket::ask(pid_t worker, std::string_view commands) const {
  // The master's own answer comes first, so that an empty one of the worker is seen to be cut.
  const auto is_whole = [](std::string_view both) {
    const auto answer = second_answer(both);
    return is_ended(answer) || answer.starts_with(kNobody);
  };
  const auto both = ask_until(is_whole, fmt::format("show proc; @!{}; {}\n", worker, commands));
  if (!both) return {};
  const auto answer = second_answer(*both);
  if (answer.starts_with(kNobody)) return {};
  return std::string(answer);
}

void MasterSocket::reload() const { static_cast<void>(ask_once("reload\n", kAnswer)); }

}  // namespace pushrod
