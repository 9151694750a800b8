// Waits until a service's logger has written down what the service has printed.
#include <fcntl.h>
#include <sys/ioctl.h>

#include <chrono>
#include <thread>

#include "base/error.hh"
#include "os/files.hh"
#include "os/unique_fd.hh"
#include "supervise/s6_state.hh"
#include "supervise/supervise.hh"

namespace pushrod {

namespace {

constexpr Milliseconds kPause{2};  // no event tells that a pipe has been emptied

// The kernel's letter for what a process does: it waits (S) for more input once it has written what it read.
bool is_waiting(const std::string& process) {
  const auto stat = read_file(process + "/stat", 4096).value_or("");
  const auto end_of_name = stat.rfind(") ");
  return end_of_name != std::string::npos && stat.compare(end_of_name + 2, 1, "S") == 0;
}

bool has_written_all(const std::string& process, const UniqueFd& input) {
  int unread = 0;
  return ioctl(input.get(), FIONREAD, &unread) != 0 || (unread == 0 && is_waiting(process));
}

}  // namespace

void await_logged(const fs::path& service_directory, Milliseconds at_most) {
  const auto logger = observe_service(service_directory / "log");
  if (!logger || logger->pid == 0) return;
  const auto process = "/proc/" + std::to_string(logger->pid);
  // The logger's end of the pipe, by another descriptor. Whatever fails here, there is nothing to wait for.
  const UniqueFd input{open((process + "/fd/0").c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC)};
  if (!input) return;
  const Deadline deadline(at_most);
  try {
    // Twice: between its reading and its writing it may look as if it waited.
    for (int seen = 0; seen < 2 && !deadline.passed(); seen = has_written_all(process, input) ? seen + 1 : 0) {
      std::this_thread::sleep_for(kPause);
    }
  } catch (const Error&) {
    return;  // it has ended
  }
}

}  // namespace pushrod
