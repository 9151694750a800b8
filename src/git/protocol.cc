// The two conversations with receive-pack: the list that pre-receive gets, and proc-receive's questions and answers.
// The hooks of the gate's receive-pack speak through this.
#include "git/protocol.hh"

#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>

#include "base/error.hh"
#include "base/text.hh"
#include "git/pkt_line.hh"

namespace pushrod {

using namespace std::string_view_literals;

namespace {

constexpr std::size_t kMostBytes = std::size_t{16} << 20;
constexpr std::size_t kMostPushOptions = 50;
constexpr std::size_t kLongestPushOption = 1024;
constexpr std::size_t kLongestReason = 1000;

[[noreturn]] void throw_garbage(std::string_view what, std::string_view text) {
  throw Error(fmt::format("git sent {} that Pushrod does not understand: {}", what, quoted(text)));
}

std::optional<CommitId> parse_object_name(std::string_view text) {
  if (text.find_first_not_of('0') == std::string_view::npos) return std::nullopt;
  return CommitId::parse(text);
}

// "<old> <new> <ref>"
RefCommand parse_command(std::string_view line) {
  constexpr std::size_t kObjectName = 40;
  constexpr std::size_t kRefAt = 2 * (kObjectName + 1);
  constexpr std::string_view kDigits = "0123456789abcdef";
  const bool has_form = line.size() > kRefAt && line[kObjectName] == ' ' && line[kRefAt - 1] == ' ';
  if (!has_form) throw_garbage("a command", line);
  const std::string_view before = line.substr(0, kObjectName);
  const std::string_view after = line.substr(kObjectName + 1, kObjectName);
  const std::string_view ref = line.substr(kRefAt);
  if (before.find_first_not_of(kDigits) != std::string_view::npos ||
      after.find_first_not_of(kDigits) != std::string_view::npos ||
      ref.find_first_of(std::string_view("\0\n", 2)) != std::string_view::npos) {
    throw_garbage("a command", line);
  }
  return {parse_object_name(before), parse_object_name(after), std::string(ref)};
}

std::string_view without_newline(std::string_view line) {
  if (line.ends_with('\n')) line.remove_suffix(1);
  return line;
}

void check_push_options(const std::vector<std::string>& options) {
  for (const std::string& option : options) {
    if (option.size() > kLongestPushOption) {
      throw UserError(fmt::format("a push option is longer than {} bytes", kLongestPushOption));
    }
    for (const char c : option) {
      if (static_cast<unsigned char>(c) < ' ' || c == '\x7f') {
        throw UserError(fmt::format("push option {} contains a control character", quoted(option)));
      }
    }
  }
}

void check_number_of_push_options(std::uint64_t count) {
  if (count > kMostPushOptions) {
    throw UserError(fmt::format("{} push options are too many: the limit is {}", count, kMostPushOptions));
  }
}

// While it lives, a write to a pipe without a reader fails with EPIPE and does not kill this process.
class NoBrokenPipeSignal {
 public:
  NoBrokenPipeSignal() {
    sigemptyset(&pipe_);
    sigaddset(&pipe_, SIGPIPE);
    sigset_t pending;
    sigpending(&pending);
    was_pending_ = sigismember(&pending, SIGPIPE) == 1;
    if (const int code = pthread_sigmask(SIG_BLOCK, &pipe_, &before_); code != 0)
      throw SystemError("block SIGPIPE", code);
  }
  NoBrokenPipeSignal(const NoBrokenPipeSignal&) = delete;
  NoBrokenPipeSignal& operator=(const NoBrokenPipeSignal&) = delete;
  ~NoBrokenPipeSignal() {
    const timespec at_once{};
    if (!was_pending_) sigtimedwait(&pipe_, nullptr, &at_once);
    pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }

 private:
  sigset_t pipe_{};
  sigset_t before_{};
  bool was_pending_ = false;
};

// False when the reader is gone.
bool write_to_peer(int fd, std::string_view data) {
  const NoBrokenPipeSignal guard;
  while (!data.empty()) {
    const ssize_t written = write(fd, data.data(), data.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return false;
    data.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

constexpr std::string_view kFlush = "0000";

// One line of at most kLongestReason bytes, cut between characters.
std::string one_line(std::string text) {
  for (char& c : text) {
    if (c == '\n' || c == '\r' || c == '\t') c = ' ';
  }
  text = plain_text(text);
  if (text.size() <= kLongestReason) return text;
  std::size_t end = kLongestReason;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) --end;
  return text.substr(0, end) + "…";
}

}  // namespace

std::vector<RefCommand> read_pre_receive(int fd) {
  std::string text;
  std::array<char, 16'384> buffer;
  while (true) {
    const ssize_t got = read(fd, buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw_errno("read what git says");
    if (got == 0) break;
    text.append(buffer.data(), static_cast<std::size_t>(got));
    if (text.size() > kMostBytes) throw Error("git sent more than 16 MiB of commands");
  }
  if (!text.empty() && text.back() != '\n') throw Error("git closed the connection in the middle of its commands");
  std::vector<RefCommand> commands;
  for (const std::string& line : lines_of(text)) commands.push_back(parse_command(line));
  return commands;
}

ProcReceiveRequest read_proc_receive(int in, int out) {
  ProcReceiveRequest request;
  PktLineReader reader(in);

  // "version=1\0push-options atomic"
  const auto greeting = reader.next();
  if (!greeting) throw Error("git did not name the version of its proc-receive protocol");
  const std::string_view line = without_newline(*greeting);
  const std::size_t nul = line.find('\0');
  if (line.substr(0, nul) != "version=1") throw_garbage("a version of the proc-receive protocol", line);
  bool has_push_options = false;
  if (nul != std::string_view::npos) {
    for (const std::string& capability : split(line.substr(nul + 1), ' ')) {
      has_push_options = has_push_options || capability == "push-options";
      request.atomic = request.atomic || capability == "atomic";
    }
  }
  if (const auto more = reader.next()) throw_garbage("a greeting", *more);

  // Push options are sent exactly when both sides have named them.
  const std::string_view answer = has_push_options ? "version=1\0push-options\n"sv : "version=1\n"sv;
  if (!write_to_peer(out, pkt_line(answer).append(kFlush)))
    throw Error("git closed the connection before its commands");

  while (const auto command = reader.next()) request.commands.push_back(parse_command(without_newline(*command)));
  if (has_push_options) {
    while (auto option = reader.next()) {
      request.push_options.push_back(std::move(*option));
      check_number_of_push_options(request.push_options.size());
    }
    check_push_options(request.push_options);
  }
  return request;
}

bool write_proc_receive_report(int out, const std::vector<RefReport>& reports) {
  std::string text;
  for (const RefReport& report : reports) {
    if (report.refusal.empty()) {
      text += pkt_line("ok " + report.ref);
      if (report.left_to_git) text += pkt_line("option fall-through");
    } else {
      text += pkt_line(fmt::format("ng {} {}", report.ref, one_line(report.refusal)));
    }
  }
  return write_to_peer(out, text.append(kFlush));
}

std::vector<std::string> push_options_from_environment() {
  const char* count_text = std::getenv("GIT_PUSH_OPTION_COUNT");
  if (count_text == nullptr) return {};
  const auto count = parse_unsigned(count_text);
  if (!count) throw_garbage("a number of push options", count_text);
  check_number_of_push_options(*count);
  std::vector<std::string> options;
  for (std::uint64_t at = 0; at < *count; ++at) {
    const char* option = std::getenv(fmt::format("GIT_PUSH_OPTION_{}", at).c_str());
    if (option == nullptr) throw Error(fmt::format("git announced {} push options and sent {}", *count, at));
    options.emplace_back(option);
  }
  check_push_options(options);
  return options;
}

}  // namespace pushrod
