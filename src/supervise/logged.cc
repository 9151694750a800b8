// Waits until a service's logger has written down what the service has printed.
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#include <chrono>
#include <optional>
#include <string>
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

// A process that passes on what it reads from a pipe: the keeper of an instance, and then the logger.
struct Reader {
  std::string process;  // its directory below /proc
  UniqueFd input;       // its end of the pipe, by another descriptor
};

std::optional<Reader> reader_of(const fs::path& service_directory, int fd) {
  const auto service = observe_service(service_directory);
  if (!service || service->pid == 0) return std::nullopt;
  const auto process = "/proc/" + std::to_string(service->pid);
  UniqueFd input{open(fmt::format("{}/fd/{}", process, fd).c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC)};
  struct stat status = {};
  if (!input || fstat(input.get(), &status) != 0 || !S_ISFIFO(status.st_mode)) return std::nullopt;
  return Reader{process, std::move(input)};
}

bool has_passed_all_on(const std::optional<Reader>& reader) {
  int unread = 0;
  return !reader || ioctl(reader->input.get(), FIONREAD, &unread) != 0 || (unread == 0 && is_waiting(reader->process));
}

}  // namespace

void await_logged(const fs::path& service_directory, Milliseconds at_most) {
  constexpr int kOutputFd = 6;  // of the keeper: shim/parts.hh
  // If something fails here, there is nothing to wait for.
  const auto keeper = reader_of(service_directory, kOutputFd);
  const auto logger = reader_of(service_directory / "log", 0);
  if (!logger) return;
  const Deadline deadline(at_most);
  try {
    // Twice: between its reading and its writing it may look as if it waited.
    const auto has_written_all = [&] { return has_passed_all_on(keeper) && has_passed_all_on(logger); };
    for (int seen = 0; seen < 2 && !deadline.passed(); seen = has_written_all() ? seen + 1 : 0) {
      std::this_thread::sleep_for(kPause);
    }
  } catch (const Error&) {
    return;  // it has ended
  }
}

}  // namespace pushrod
