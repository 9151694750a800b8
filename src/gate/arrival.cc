// Slots for pushes, and the process that watches over one.
#include "gate/arrival.hh"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>
#include <thread>

#include "base/error.hh"
#include "base/text.hh"
#include "os/clock.hh"
#include "os/file_lock.hh"
#include "os/pidfd.hh"
#include "os/process_tree.hh"
#include "os/retry.hh"

namespace pushrod {

namespace {

constexpr const char* kDescriptors = "PUSHROD_ARRIVAL";  // "<slot> <report>"
constexpr const char* kOomScore = "PUSHROD_OOM_SCORE";
constexpr std::string_view kArrived = "arrived";

constexpr Milliseconds kWaitForSlot{10'000};
constexpr Milliseconds kSlotPause{50};  // no event tells when one of several locks is free
constexpr Milliseconds kPatience{5'000};

int duplicate(int fd) {
  const int copy = fcntl(fd, F_DUPFD_CLOEXEC, 3);
  if (copy < 0) throw_errno("duplicate a descriptor");
  return copy;
}

std::optional<FileLock> try_slots(const Layout& layout, const Settings& settings, const Key& key) {
  for (unsigned slot = 0; slot < settings.pushes; ++slot) {
    if (auto lock = FileLock::try_acquire(layout.push_slot(key.id, slot))) return lock;
  }
  return std::nullopt;
}

// A descriptor that holds the lock for as long as git or one of its children has it.
int take_slot(const Layout& layout, const Settings& settings, const Key& key) {
  const Deadline deadline(kWaitForSlot);
  while (true) {
    if (const auto lock = try_slots(layout, settings, key)) return duplicate(lock->fd());
    if (deadline.passed()) break;
    std::this_thread::sleep_for(kSlotPause);
  }
  throw UserError(fmt::format("key {} already has {} in progress, which is the limit", quoted(key.name.str()),
                              settings.pushes == 1 ? "a push" : fmt::format("{} pushes", settings.pushes)),
                  "push again when it has arrived; the limit is `pushes` in [limits] of server.toml");
}

// A size as it is written in server.toml.
std::string as_set(std::uint64_t bytes) {
  constexpr std::uint64_t kMega = std::uint64_t{1} << 20;
  return bytes % kMega == 0 ? fmt::format("{}M", bytes / kMega) : format_bytes(bytes);
}

// What git tells of its errors, a JSON object a line: the text of a format is its own, so no client can make one up.
class Watch {
 public:
  Watch(int report, int git, pid_t git_pid, const Settings& settings)
      : report_(report), git_(git), git_pid_(git_pid), settings_(settings) {}

  // To the end of the arrival.
  void run() {
    const Deadline deadline(settings_.push_timeout);
    while (wait_for(report_, POLLIN, deadline)) {
      std::array<char, 16'384> buffer;
      const ssize_t got = retry_interrupted([&] { return read(report_, buffer.data(), buffer.size()); });
      if (got <= 0 || !take({buffer.data(), static_cast<std::size_t>(got)})) return;
    }
    tell(fmt::format(
        "this push was stopped: it took longer than {} to arrive. Push again over a faster connection, or "
        "push its commits in several steps. Nothing was changed. The limit is push_timeout under [limits] in "
        "server.toml.",
        format_duration(settings_.push_timeout)));
    end_push();
  }

 private:
  // git removes what has arrived when its unpacker fails, and not when it gets a signal itself.
  void end_push() const {
    const bool unpacks = signal_unpacker();
    if (!unpacks) pidfd_send_signal(git_, SIGTERM, nullptr, 0);
    if (!wait_for(git_, POLLIN, Deadline(kPatience))) pidfd_send_signal(git_, SIGKILL, nullptr, 0);
  }

  // False when there is none.
  bool signal_unpacker() const {
    bool any = false;
    if (getppid() != git_pid_) return any;  // it has ended, and its number may be another's
    for (const pid_t pid : descendants_of(git_pid_)) {
      if (pid != getpid()) any = kill(pid, SIGTERM) == 0 || any;
    }
    return any;
  }

  // False when there is nothing more to wait for.
  bool take(std::string_view chunk) {
    constexpr std::size_t kLongestLine = 1 << 16;
    text_ += chunk;
    std::size_t begin = 0;
    for (std::size_t end; (end = text_.find('\n', begin)) != std::string::npos; begin = end + 1) {
      const auto line = std::string_view(text_).substr(begin, end - begin);
      if (line == kArrived) return false;
      explain(line);
    }
    text_.erase(0, begin);
    if (text_.size() > kLongestLine) text_.clear();
    return true;
  }

  void explain(std::string_view line) {
    const auto has = [&](std::string_view text) { return line.find(text) != std::string_view::npos; };
    if (explained_ || !has("\"event\":\"error\"")) return;
    if (has("\"fmt\":\"Out of memory")) {
      tell(fmt::format(
          "this push was refused: git needs more memory for it than the {} that a push may use. Remove very "
          "large files from its commits, or ask an administrator to raise push_memory under [limits] in "
          "server.toml.",
          as_set(settings_.push_memory)));
    } else if (has("\"fmt\":\"pack exceeds maximum allowed size")) {
      tell(
          fmt::format("this push was refused: it brings more than {}. Push its commits in several steps, or ask an "
                      "administrator to raise push_bytes under [limits] in server.toml.",
                      as_set(settings_.push_bytes)));
    } else {
      return;
    }
    explained_ = true;
  }

  static void tell(const std::string& text) {
    const auto line = "pushrod: " + text + "\n";
    static_cast<void>(!write(STDERR_FILENO, line.data(), line.size()));
  }

  int report_, git_;
  pid_t git_pid_;
  const Settings& settings_;
  std::string text_;
  bool explained_ = false;
};

// The process beside git. It holds nothing that belongs to the connection but standard error.
[[noreturn]] void watch(int report, int git, pid_t git_pid, const Settings& settings) {
  constexpr int kReport = 3, kGit = 4;
  // Above those first, so that neither overwrites the other.
  const int high_report = fcntl(report, F_DUPFD_CLOEXEC, 5), high_git = fcntl(git, F_DUPFD_CLOEXEC, 5);
  dup2(high_report, kReport);
  dup2(high_git, kGit);
  close(STDIN_FILENO);
  close(STDOUT_FILENO);
  close_range(kGit + 1, ~0U, 0);
  Watch(kReport, kGit, git_pid, settings).run();
  _exit(0);
}

bool is_of_type(int fd, mode_t type) {
  struct stat status {};
  return fstat(fd, &status) == 0 && (status.st_mode & S_IFMT) == type;
}

}  // namespace

std::vector<int> begin_arrival(const Layout& layout, const Settings& settings, const Key& key, Environment& for_hooks) {
  const int slot = take_slot(layout, settings, key);
  Pipe report = make_pipe();
  const int git = own_pidfd();
  const pid_t own = getpid();
  const pid_t pid = fork();
  if (pid < 0) throw_errno("watch over a push: fork");
  if (pid == 0) watch(report.read_end.get(), git, own, settings);
  const int write_end = report.write_end.release();
  for_hooks[kDescriptors] = fmt::format("{} {}", slot, write_end);
  for_hooks[kOomScore] = std::to_string(oom_score());
  for_hooks["GIT_TRACE2_EVENT"] = fmt::format("/proc/self/fd/{}", write_end);
  return {slot, write_end};
}

EndOfArrival::~EndOfArrival() {
  const char* text = getenv(kDescriptors);
  if (text == nullptr) return;
  const auto words = split(text, ' ');
  const auto slot = parse_unsigned(words.front()), report = parse_unsigned(words.back());
  if (words.size() != 2 || !slot || !report) return;
  const auto slot_fd = static_cast<int>(*slot), report_fd = static_cast<int>(*report);
  // The lock belongs to all who have inherited it: receive-pack, which goes on, loses it too.
  if (is_of_type(slot_fd, S_IFREG)) flock(slot_fd, LOCK_UN);
  const auto line = std::string(kArrived) + "\n";
  if (is_of_type(report_fd, S_IFIFO)) static_cast<void>(!write(report_fd, line.data(), line.size()));
}

void leave_push_confinement() {
  const char* score = getenv(kOomScore);
  if (score != nullptr) leave_confinement(atoi(score));
}

}  // namespace pushrod
