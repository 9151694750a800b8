// Running a program to its end: gathers its output, and kills its group when it takes too long, writes too much or is
// no longer wanted.
// Every room that conducts a tool runs it through here.
#include "os/command.hh"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>

#include "base/error.hh"
#include "base/text.hh"
#include "os/clock.hh"
#include "os/files.hh"
#include "os/retry.hh"

namespace pushrod {

namespace {

using End = CommandResult::End;

// The input as a file in memory: unlike a pipe it needs no writer while the child runs, and a child that does
// not read it breaks nothing.
UniqueFd input_file(const std::string& input) {
  UniqueFd fd(memfd_create("input", MFD_CLOEXEC));
  if (!fd) throw_errno("make a file for a program's input");
  write_all(fd.get(), input, "write a program's input");
  if (lseek(fd.get(), 0, SEEK_SET) != 0) throw_errno("rewind a program's input");
  return fd;
}

// The read end of one of the child's output pipes.
struct Source {
  UniqueFd fd;
  std::string* gathered = nullptr;
  bool open() const { return static_cast<bool>(fd); }
};

class Run {
 public:
  explicit Run(const Command& command) : command_(command) {}

  CommandResult to_its_end() {
    ChildProcess child = start();
    const Deadline deadline(command_.deadline);
    std::optional<End> cut_short;
    while (!cut_short) {
      std::array<pollfd, 4> entries{{{child.event_fd(), POLLIN, 0},
                                     {command_.cancel_fd, POLLIN, 0},
                                     {sources_[0].fd.get(), POLLIN, 0},
                                     {sources_[1].fd.get(), POLLIN, 0}}};
      if (poll_until(entries, Deadline(time_to_look(deadline))) == 0) {
        cut_short = looked(deadline);
      } else if (entries[0].revents != 0) {
        break;
      } else if ((entries[1].revents & POLLNVAL) != 0) {
        throw SystemError("watch for the cancelling of " + quoted(command_.argv.front()), EBADF);
      } else if (entries[1].revents != 0) {
        cut_short = End::Cancelled;
      } else {
        for (std::size_t at = 0; at < sources_.size() && !cut_short; ++at) {
          if (entries[at + 2].revents != 0) cut_short = read_once(sources_[at]);
        }
        // Output that never pauses would keep the clock from being looked at.
        if (!cut_short && command_.on_tick && tick_.elapsed() >= kTick) cut_short = looked(deadline);
      }
    }
    return finish(child, cut_short);
  }

 private:
  ChildProcess start() {
    UniqueFd input;
    int in = -1;
    if (command_.input_fd) {
      in = *command_.input_fd;
    } else if (!command_.input.empty()) {
      input = input_file(command_.input);
      in = input.get();
    }
    Pipe out = make_pipe();
    Pipe err = command_.merge_output ? Pipe{} : make_pipe();
    const int err_fd = command_.merge_output ? out.write_end.get() : err.write_end.get();
    ChildProcess child = ChildProcess::start(command_, in, out.write_end.get(), err_fd);
    sources_[0] = {std::move(out.read_end), &result_.out};
    sources_[1] = {std::move(err.read_end), &result_.err};
    for (const Source& source : sources_) {
      if (source.open() && fcntl(source.fd.get(), F_SETFL, O_NONBLOCK) != 0) throw_errno("make a pipe non-blocking");
    }
    return child;
  }

  static constexpr Milliseconds kTick{1'000};

  // How long nothing needs to be done unless something happens.
  Milliseconds time_to_look(const Deadline& deadline) const {
    auto time = deadline.left();
    if (command_.silence.count() > 0)
      time = std::min(time, std::max(command_.silence - quiet_.elapsed(), Milliseconds{0}));
    if (command_.on_tick) time = std::min(time, std::max(kTick - tick_.elapsed(), Milliseconds{0}));
    return time;
  }

  std::optional<End> looked(const Deadline& deadline) {
    if (deadline.passed()) return End::TimedOut;
    if (command_.silence.count() > 0 && quiet_.elapsed() >= command_.silence) {
      if (!command_.shows_life || !command_.shows_life()) return End::Silent;
      quiet_ = Stopwatch();
    }
    if (!command_.on_tick || tick_.elapsed() < kTick) return std::nullopt;
    const bool goes_on = command_.on_tick();
    tick_ = Stopwatch();
    return goes_on ? std::nullopt : std::optional(End::Stopped);
  }

  // Takes what one read gives; says how the run ends when that ends it.
  std::optional<End> read_once(Source& source) {
    std::array<char, 16'384> buffer;
    const ssize_t got = retry_interrupted([&] { return read(source.fd.get(), buffer.data(), buffer.size()); });
    if (got < 0 && errno == EAGAIN) return std::nullopt;
    if (got < 0) throw_errno("read the output of " + quoted(command_.argv.front()));
    if (got == 0) {
      source.fd.reset();
      return std::nullopt;
    }
    quiet_ = Stopwatch();
    const std::size_t room = command_.output_cap - output_size_;
    const std::string_view chunk(buffer.data(), std::min(static_cast<std::size_t>(got), room));
    output_size_ += chunk.size();
    if (!command_.on_output) {
      source.gathered->append(chunk);
    } else if (!chunk.empty() && !command_.on_output(chunk)) {
      return End::Stopped;
    }
    if (static_cast<std::size_t>(got) > room) return End::OutputTooLong;
    return std::nullopt;
  }

  // What is in the pipe now, and no more: a grandchild that outlives the child may keep the pipe open and full.
  std::optional<End> drain(Source& source) {
    const int capacity = source.open() ? fcntl(source.fd.get(), F_GETPIPE_SZ) : 0;
    const std::size_t before = output_size_;
    std::optional<End> cut_short;
    while (source.open() && !cut_short && output_size_ - before < static_cast<std::size_t>(std::max(capacity, 0))) {
      pollfd entry{source.fd.get(), POLLIN, 0};
      if (poll_until({&entry, 1}, Deadline(Milliseconds{0})) == 0) break;
      cut_short = read_once(source);
    }
    return cut_short;
  }

  CommandResult finish(ChildProcess& child, std::optional<End> cut_short) {
    const bool ended_by_itself = !cut_short;
    // A killed child's last words are evidence of what took it so long.
    if (cut_short == End::TimedOut || cut_short == End::Cancelled || cut_short == End::Silent) {
      child.signal(SIGKILL);
      for (Source& source : sources_) static_cast<void>(drain(source));
    }
    for (Source& source : sources_) {
      if (!cut_short) cut_short = drain(source);
    }
    if (ended_by_itself) {
      const CommandResult end = *child.wait(Milliseconds::max());
      result_.end = cut_short.value_or(end.end);
      result_.code = end.code;
    } else {
      child.kill_group();
      result_.end = *cut_short;
      result_.code = SIGKILL;
    }
    result_.elapsed = watch_.elapsed();
    result_.limit = command_.deadline;
    return std::move(result_);
  }

  const Command& command_;
  Stopwatch watch_;
  Stopwatch quiet_;  // since the last output
  Stopwatch tick_;
  CommandResult result_;
  std::array<Source, 2> sources_;
  std::size_t output_size_ = 0;
};

// A deadline as it was set: "60 s", "1.5 s", "50 ms".
std::string describe_limit(Milliseconds limit) {
  if (limit < Milliseconds{1'000}) return std::to_string(limit.count()) + " ms";
  if (limit >= Milliseconds{120'000}) return format_duration(std::chrono::floor<std::chrono::seconds>(limit));
  const auto tenths = limit.count() / 100;
  return std::to_string(tenths / 10) + (tenths % 10 == 0 ? "" : "." + std::to_string(tenths % 10)) + " s";
}

std::vector<std::string> evidence_of(const CommandResult& result) {
  constexpr std::size_t kLines = 20;
  std::vector<std::string> lines = lines_of(trim(result.err).empty() ? result.out : result.err);
  if (lines.size() > kLines) lines.erase(lines.begin(), lines.end() - kLines);
  for (std::string& line : lines) line = plain_text(line);
  return lines;
}

}  // namespace

std::string CommandResult::describe() const {
  switch (end) {
    case End::Exited:
      return "exit code " + std::to_string(code);
    case End::Signalled: {
      const char* name = sigabbrev_np(code);
      return name != nullptr ? std::string("killed by SIG") + name : "killed by signal " + std::to_string(code);
    }
    case End::TimedOut:
      return "ran longer than " + describe_limit(limit);
    case End::OutputTooLong:
      return "wrote more output than it may";
    case End::Silent:
      return "wrote nothing for too long";
    case End::Stopped:
      return "stopped";
    case End::Cancelled:
      return "cancelled";
  }
  return "unknown end";
}

CommandResult run(const Command& command) { return Run(command).to_its_end(); }

std::string run_checked(const Command& command) {
  CommandResult result = run(command);
  if (result.ok()) return std::move(result.out);
  Error error(escaped(std::filesystem::path(command.argv.front()).filename().native(), 120) +
              " failed: " + result.describe());
  error.set_evidence(evidence_of(result));
  throw error;
}

}  // namespace pushrod
