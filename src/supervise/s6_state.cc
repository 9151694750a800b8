// Observes a service: asks s6's tools, and keeps their answers until the service's status changes. Also asks for the
// locks of s6-supervise and of the shim, and reads the shim's back-off file. supervisor.cc acts on services.
#include "supervise/s6_state.hh"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <cerrno>
#include <chrono>
#include <ctime>

#include "base/error.hh"
#include "base/text.hh"
#include "os/files.hh"
#include "os/unique_fd.hh"
#include "supervise/s6_answers.hh"
#include "supervise/s6_tool.hh"

namespace pushrod {

namespace {

constexpr std::size_t kCacheCap = 64 << 10;

// Opens a file that may not be there.
UniqueFd open_if_there(const fs::path& path, int flags) {
  UniqueFd fd{open(path.c_str(), flags | O_CLOEXEC | O_NOFOLLOW)};
  if (!fd && errno != ENOENT && errno != ENOTDIR) throw_errno("open " + path.native());
  return fd;
}

// Tells two versions of a file apart without reading it.
struct Stamp {
  std::string text;
  // False while a further change could still get the same stamp: the kernel's file times advance only a few hundred
  // times a second.
  bool final = false;
};

// Of supervise/status, which s6-supervise replaces at every change; absent before it has written the first one.
std::optional<Stamp> stamp_of_status(const fs::path& service_directory) {
  timespec clock{};
  clock_gettime(CLOCK_REALTIME_COARSE, &clock);  // before the stamp is taken
  struct stat file {};
  const fs::path path = service_directory / "supervise" / "status";
  if (stat(path.c_str(), &file) != 0) {
    if (errno == ENOENT || errno == ENOTDIR) return std::nullopt;
    throw_errno("look at " + path.native());
  }
  const auto& time = file.st_ctim;
  const bool final = clock.tv_sec > time.tv_sec || (clock.tv_sec == time.tv_sec && clock.tv_nsec > time.tv_nsec);
  return Stamp{fmt::format("{} {}.{:09} {}.{:09}", file.st_ino, file.st_mtim.tv_sec, file.st_mtim.tv_nsec, time.tv_sec,
                           time.tv_nsec),
               final};
}

// s6-supervise empties its list of deaths when it starts, so most services need not be asked for theirs. Where there is
// no such file, s6-svdt decides.
bool has_no_deaths(const fs::path& service_directory) {
  struct stat file {};
  return stat((service_directory / "supervise" / "death_tally").c_str(), &file) == 0 && file.st_size == 0;
}

// The tools' answers: what s6-svstat printed, then what s6-svdt did.
std::optional<SuperviseState> state_in(std::string_view answers) {
  const auto line_end = answers.find('\n');
  if (line_end == std::string_view::npos) return std::nullopt;
  const auto status = parse_svstat(answers.substr(0, line_end));
  const auto deaths = parse_svdt(answers.substr(line_end + 1));
  if (!status || !deaths) return std::nullopt;
  return SuperviseState{status->up, status->wanted_up, status->pid, status->since, deaths->deaths, deaths->last_exit};
}

// Absent when s6-supervise ended in the meantime.
std::optional<std::string> ask_tools(const fs::path& service_directory) {
  try {
    std::string answers = run_s6_tool({"s6-svstat", "-o", kSvstatFields, service_directory.native()});
    if (!has_no_deaths(service_directory)) answers += run_s6_tool({"s6-svdt", "-s", service_directory.native()});
    return answers;
  } catch (const Error&) {
    if (supervisor_of(service_directory)) throw;
    return std::nullopt;
  }
}

void keep(const fs::path& file, const std::string& content) {
  try {
    write_file(file, content, 0600, false);
  } catch (const SystemError&) {
    // The service was removed meanwhile, or the disk is full; the tools are asked again the next time.
  }
}

}  // namespace

std::optional<SuperviseState> observe_service(const fs::path& service_directory) {
  if (!supervisor_of(service_directory)) return std::nullopt;
  const auto stamp = stamp_of_status(service_directory);
  if (!stamp) return std::nullopt;
  const fs::path kept = service_directory / "observed";
  if (const auto content = read_file(kept, kCacheCap); content && content->starts_with(stamp->text + '\n')) {
    if (const auto state = state_in(std::string_view(*content).substr(stamp->text.size() + 1))) return state;
  }
  const auto answers = ask_tools(service_directory);
  if (!answers) return std::nullopt;
  const auto state = state_in(*answers);
  if (!state) throw Error("s6's tools gave an answer that Pushrod does not understand: " + quoted(*answers));
  if (stamp->final && supervisor_of(service_directory)) keep(kept, stamp->text + '\n' + *answers);
  return state;
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
