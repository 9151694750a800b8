// Reads s6-supervise's status file, death tally and lock, and the shim's lock and back-off file.
// Floor 3, the observing half of supervise/; supervisor.cc acts.
#include "supervise/s6_state.hh"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/wait.h>

#include <cerrno>
#include <chrono>
#include <cstring>

#include "base/error.hh"
#include "base/text.hh"
#include "os/files.hh"
#include "os/unique_fd.hh"
#include "supervise/s6_tool.hh"

namespace pushrod {

namespace {

constexpr std::size_t kTimeSize = 12;  // TAI64N: seconds, nanoseconds
constexpr std::size_t kStatusSize = 35;
constexpr std::size_t kPidAt = 24;
constexpr std::size_t kFlagsAt = 34;
constexpr unsigned kFinishing = 2;
constexpr unsigned kWantedUp = 4;
constexpr std::size_t kDeathSize = kTimeSize + 2;

std::uint64_t big_endian(std::string_view bytes) {
  std::uint64_t value = 0;
  for (const char byte : bytes) value = value << 8 | static_cast<unsigned char>(byte);
  return value;
}

Milliseconds age_of(std::string_view stamp) {
  const auto then =
      from_tai64n(big_endian(stamp.substr(0, 8)), static_cast<std::uint32_t>(big_endian(stamp.substr(8, 4))));
  const auto age = std::chrono::duration_cast<Milliseconds>(now() - then);
  return std::max(age, Milliseconds{0});  // the clock may have been set back
}

std::string name_of_signal(int number) {
  const char* name = sigabbrev_np(number);
  return name != nullptr ? fmt::format("SIG{}", name) : fmt::format("signal {}", number);
}

// Opens a file that may not be there.
UniqueFd open_if_there(const fs::path& path, int flags) {
  UniqueFd fd{open(path.c_str(), flags | O_CLOEXEC | O_NOFOLLOW)};
  if (!fd && errno != ENOENT && errno != ENOTDIR) throw_errno("open " + path.native());
  return fd;
}

}  // namespace

std::optional<SuperviseState> read_supervise_state(const fs::path& service_directory) {
  const auto status = read_file(service_directory / "supervise" / "status", 4096);
  if (!status) return std::nullopt;
  if (status->size() != kStatusSize) return ask_supervise_state(service_directory);
  const std::string_view bytes = *status;
  const unsigned flags = static_cast<unsigned char>(bytes[kFlagsAt]);
  SuperviseState state;
  const auto pid = static_cast<pid_t>(big_endian(bytes.substr(kPidAt, 8)));
  state.up = pid != 0 && (flags & kFinishing) == 0;  // while finishing it is ./finish's
  state.pid = state.up ? pid : 0;
  state.wanted_up = (flags & kWantedUp) != 0;
  state.since = age_of(bytes.substr(0, kTimeSize));
  return state;
}

SuperviseState ask_supervise_state(const fs::path& service_directory) {
  const std::string answer = run_s6_tool({"s6-svstat", "-o", "up,wantedup,pid,updownfor", service_directory.native()});
  const std::vector<std::string> fields = split(trim(answer), ' ');
  const auto seconds = fields.size() == 4 ? parse_unsigned(fields[3]) : std::nullopt;
  if (!seconds) throw Error("s6-svstat answered " + quoted(answer));
  SuperviseState state;
  state.up = fields[0] == "true";
  state.wanted_up = fields[1] == "true";
  state.pid = static_cast<pid_t>(parse_unsigned(fields[2]).value_or(0));
  state.since = std::chrono::seconds{*seconds};
  return state;
}

Deaths read_deaths(const fs::path& service_directory) {
  const auto tally = read_file(service_directory / "supervise" / "death_tally");
  Deaths deaths;
  if (!tally || tally->empty() || tally->size() % kDeathSize != 0) return deaths;
  deaths.count = static_cast<unsigned>(tally->size() / kDeathSize);
  const std::string_view last = std::string_view(*tally).substr(tally->size() - 2);
  const int code = static_cast<unsigned char>(last[0]);
  const int signal = static_cast<unsigned char>(last[1]);
  deaths.last = signal != 0 ? name_of_signal(signal) : fmt::format("exit code {}", code);
  return deaths;
}

std::optional<pid_t> supervisor_of(const fs::path& service_directory) {
  const fs::path path = service_directory / "supervise" / "lock";
  const UniqueFd fd = open_if_there(path, O_WRONLY);
  if (!fd) return std::nullopt;
  struct flock holder {};
  holder.l_type = F_WRLCK;
  holder.l_whence = SEEK_SET;
  if (fcntl(fd.get(), F_GETLK, &holder) != 0) throw_errno("ask who holds " + path.native());
  if (holder.l_type == F_UNLCK) return std::nullopt;
  return holder.l_pid;
}

bool is_instance_lock_held(const fs::path& service_directory) {
  const fs::path path = service_directory / "lock";
  const UniqueFd fd = open_if_there(path, O_RDONLY);
  if (!fd) return false;
  if (flock(fd.get(), LOCK_SH | LOCK_NB) == 0) return false;
  if (errno != EWOULDBLOCK) throw_errno("ask who holds " + path.native());
  return true;
}

Milliseconds backing_off(const fs::path& service_directory) {
  const auto text = read_file(service_directory / "backoff", 64);
  if (!text) return Milliseconds{0};
  const std::vector<std::string> fields = split(trim(*text), ' ');
  const auto until = fields.size() == 2 ? parse_unsigned(fields[1]) : std::nullopt;
  if (!until) return Milliseconds{0};
  const auto now = std::chrono::duration_cast<Milliseconds>(std::chrono::steady_clock::now().time_since_epoch());
  return std::max(Milliseconds{static_cast<std::int64_t>(*until)} - now, Milliseconds{0});
}

}  // namespace pushrod
