// The loop between a person and a command: bytes, signals, the window's size, the end of either.
// On top of child_process, pty and signal_reader.
#include "os/attached.hh"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <optional>
#include <vector>

#include "base/error.hh"
#include "os/pty.hh"
#include "os/retry.hh"
#include "os/signal_reader.hh"

namespace pushrod {

namespace {

using Kind = Attachment::Kind;

// A pipe or a terminal that is ready for writing takes this much without blocking. The client's
// descriptors are not made non-blocking: other processes that share them would see that.
constexpr std::size_t kSafeWrite = 4'096;
constexpr std::size_t kBuffer = 65'536;

// One direction, between a descriptor of the client's and one of this process.
struct Channel {
  int from = -1;
  int to = -1;
  bool to_client = false;
  UniqueFd pipe{};  // our end of the child's pipe, if it is one
  bool from_open = true;
  bool to_open = true;
  std::vector<char> buffer{};
  std::size_t begin = 0;

  bool has_bytes() const { return begin < buffer.size(); }
  bool is_finished() const { return !to_open || (!from_open && !has_bytes()); }
  pollfd wanted_event() const {
    if (is_finished()) return {-1, 0, 0};
    return has_bytes() ? pollfd{to, POLLOUT, 0} : pollfd{from, POLLIN, 0};
  }

  // Does what the event allows: one read or one write.
  void move() {
    if (has_bytes()) {
      write_once();
    } else {
      read_once();
    }
    if (is_finished()) pipe.reset();
  }
  void close() {
    to_open = false;
    pipe.reset();
  }

 private:
  void read_once() {
    buffer.resize(kBuffer);
    begin = 0;
    const ssize_t got = retry_interrupted([&] { return read(from, buffer.data(), buffer.size()); });
    // A terminal whose other side is closed says EIO.
    if (got == 0 || (got < 0 && errno != EAGAIN)) from_open = false;
    buffer.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
  }

  void write_once() {
    const std::size_t size = to_client ? std::min(buffer.size() - begin, kSafeWrite) : buffer.size() - begin;
    const ssize_t written = retry_interrupted([&] { return write(to, buffer.data() + begin, size); });
    if (written >= 0) {
      begin += static_cast<std::size_t>(written);
    } else if (errno != EAGAIN) {
      to_open = false;
    }
  }
};

UniqueFd non_blocking(UniqueFd fd) {
  if (fcntl(fd.get(), F_SETFL, O_NONBLOCK) != 0) throw_errno("make a pipe non-blocking");
  return fd;
}

// To the child, or from it.
Channel input_channel(int client, UniqueFd pipe) {
  Channel channel{client, pipe.get()};
  channel.pipe = non_blocking(std::move(pipe));
  return channel;
}
Channel output_channel(UniqueFd pipe, int client) {
  Channel channel{pipe.get(), client, true};
  channel.pipe = non_blocking(std::move(pipe));
  return channel;
}

class AttachedRun {
 public:
  AttachedRun(const Command& command, const Attachment& attachment)
      : attachment_(attachment),
        deadline_(attachment.deadline),
        signals_({SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2, SIGWINCH}),
        child_(start(command)) {}

  CommandResult to_its_end() {
    while (!step()) {
    }
    // Everything that it wrote is in the pipes by now.
    while (!hung_up_ && flush()) {
    }
    CommandResult result = *child_.wait(Milliseconds::max());
    if (timed_out_) result.end = CommandResult::End::TimedOut;
    result.limit = attachment_.deadline;
    return result;
  }

 private:
  ChildProcess start(const Command& command) {
    if (attachment_.kind == Kind::Direct) {
      return ChildProcess::start(command, attachment_.in, attachment_.out, attachment_.err);
    }
    if (attachment_.kind == Kind::Terminal) {
      auto pair = make_pseudo_terminal(attachment_.in);
      raw_mode_.emplace(attachment_.in);
      terminal_ = std::move(pair.ours);
      input_ = Channel{attachment_.in, terminal_.get()};
      outputs_.push_back(Channel{terminal_.get(), attachment_.out, true});
      return ChildProcess::start(command, pair.theirs.get(), pair.theirs.get(), pair.theirs.get());
    }
    auto in = make_pipe();
    auto out = make_pipe();
    auto err = make_pipe();
    input_ = input_channel(attachment_.in, std::move(in.write_end));
    outputs_.push_back(output_channel(std::move(out.read_end), attachment_.out));
    outputs_.push_back(output_channel(std::move(err.read_end), attachment_.err));
    return ChildProcess::start(command, in.read_end.get(), out.write_end.get(), err.write_end.get());
  }

  // Waits for one event and does what it asks for; true when the child has ended.
  bool step() {
    std::vector<pollfd> entries{{child_.event_fd(), POLLIN, 0}, {signals_.fd(), POLLIN, 0}, input_.wanted_event()};
    for (const Channel& output : outputs_) entries.push_back(output.wanted_event());
    // Without any event asked for, a poll still reports that the other side is gone.
    entries.push_back({outputs_.empty() || hung_up_ ? -1 : attachment_.out, 0, 0});
    if (poll_until(entries, kill_at_ ? *kill_at_ : deadline_) == 0) {
      run_out_of_time();
      return false;
    }
    if (entries.back().revents != 0) hang_up();
    if (entries[1].revents != 0) handle_signals();
    if (entries[2].revents != 0) move_input();
    for (std::size_t at = 0; at < outputs_.size(); ++at) {
      if (entries[at + 3].revents != 0) move_output(outputs_[at]);
    }
    return entries[0].revents != 0;
  }

  void move_input() {
    if (input_.is_finished()) return;
    input_.move();
    // A terminal has no end of input: one that says so is gone.
    if (!input_.from_open && terminal_) hang_up();
  }

  void move_output(Channel& output) {
    if (output.is_finished()) return;
    output.move();
    if (!output.to_open && output.to == attachment_.out) hang_up();
  }

  // After the child's end: what is left in its outputs. False when nothing is.
  bool flush() {
    bool any = false;
    for (Channel& output : outputs_) {
      if (output.is_finished()) continue;
      if (output.has_bytes()) {
        std::array<pollfd, 2> entries{{output.wanted_event(), {signals_.fd(), POLLIN, 0}}};
        poll_until(entries, Deadline(Milliseconds::max()));
        if (entries[1].revents != 0) handle_signals();
        if (entries[0].revents != 0) move_output(output);
        any = true;
      } else {
        move_output(output);
        any = any || output.has_bytes();
      }
    }
    return any;
  }

  void handle_signals() {
    while (const auto number = signals_.next()) {
      if (*number == SIGWINCH) {
        if (terminal_) copy_window_size(attachment_.in, terminal_.get());
      } else if (*number == SIGHUP || (*number == SIGTERM && kill_at_)) {
        hang_up();
      } else if (*number == SIGTERM) {
        end_child();
      } else {
        child_.signal(*number);
      }
    }
  }

  // The client is gone: the output of the command has no reader, and the command must not wait for one.
  void hang_up() {
    if (hung_up_) return;
    hung_up_ = true;
    end_child();
    input_.close();
    for (Channel& output : outputs_) output.close();
    terminal_.reset();
  }

  void end_child() {
    if (kill_at_) return;
    // Shells at a terminal ignore SIGTERM. Servers that are told to end take SIGHUP for something else.
    if (hung_up_ || terminal_) child_.signal(SIGHUP);
    child_.signal(SIGTERM);
    kill_at_.emplace(attachment_.patience);
  }

  void run_out_of_time() {
    if (kill_at_) {
      child_.signal(SIGKILL);
      kill_at_.emplace(Milliseconds::max());
    } else {
      timed_out_ = true;
      end_child();
    }
  }

  Attachment attachment_;
  Deadline deadline_;
  SignalReader signals_;
  std::optional<RawMode> raw_mode_;
  UniqueFd terminal_;
  Channel input_{};
  std::vector<Channel> outputs_;
  std::optional<Deadline> kill_at_;
  bool hung_up_ = false;
  bool timed_out_ = false;
  ChildProcess child_;  // last: it ends first
};

}  // namespace

CommandResult run_attached(const Command& command, const Attachment& attachment) {
  return AttachedRun(command, attachment).to_its_end();
}

}  // namespace pushrod
