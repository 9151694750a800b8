// What a deployment tells, line by line.
#include "deploy/journal.hh"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <climits>
#include <utility>

#include "base/text.hh"
#include "diagnosis/diagnosis.hh"
#include "os/files.hh"

namespace pushrod {

namespace {
constexpr std::size_t kLongestLine = 2000;         // for the client
constexpr std::size_t kLongestRecord = 256 << 10;  // in the log
constexpr std::string_view kContinued = " … (continued)";

// False when it takes no more: a full disk, or a reader that has gone away.
bool write_some(int fd, std::string_view& text, std::size_t at_most) {
  const auto written = write(fd, text.data(), std::min(text.size(), at_most));
  if (written < 0 && errno == EINTR) return true;
  if (written <= 0) return false;
  text.remove_prefix(static_cast<std::size_t>(written));
  return true;
}

// A stop signal that comes meanwhile is for others to heed.
bool takes_more(int fd, const Deadline& deadline) {
  pollfd entry{fd, POLLOUT, 0};
  while (true) {
    const int ready = poll(&entry, 1, static_cast<int>(deadline.left().count()));
    if (ready >= 0 || errno != EINTR) return ready > 0;
  }
}
}  // namespace

Journal::Journal(int client, bool colours, Pauses pauses)
    : client_(client), colours_(colours), pauses_(pauses), heartbeat_(mutex_, pauses.silence, [this] { beat(); }) {}

void Journal::hide(const Secret& secret) {
  const std::lock_guard guard(mutex_);
  redactor_.add(secret);
}

std::string Journal::redacted(std::string text) const {
  const std::lock_guard guard(mutex_);
  return redactor_.redact(std::move(text));
}

void Journal::open_log(const std::filesystem::path& file) {
  const std::lock_guard guard(mutex_);
  make_directory(file.parent_path());
  logs_.push_back(open_file(file, O_WRONLY | O_CREAT | O_APPEND, 0600));
  logged_output_ = 0;
}

void Journal::close_logs() {
  const std::lock_guard guard(mutex_);
  logs_.clear();
}

void Journal::log(std::string_view line) {
  for (const auto& log : logs_) {
    for (auto rest = line; !rest.empty() && write_some(log.get(), rest, rest.size());) {
    }
  }
}

// Poll reports a pipe as writable when it has room for PIPE_BUF bytes, so the write does not block either. The
// deployment outlives its client: one that is gone, or reads no more, is not a failure.
void Journal::tell_client(std::string_view text) {
  while (client_ >= 0 && !text.empty()) {
    if (!takes_more(client_, Deadline(pauses_.client)) || !write_some(client_, text, PIPE_BUF)) client_ = -1;
  }
}

void Journal::emit(std::string_view text, bool bold) {
  heartbeat_.rest();
  const auto plain = fmt::format("{}\n", text);
  log(plain);
  tell_client(bold && colours_ ? fmt::format("\x1b[1m{}\x1b[0m\n", text) : plain);
}

std::string Journal::output_line(std::string_view text) const {
  return fmt::format("       {}{}{}\n", subject_, subject_.empty() ? "" : " | ", text);
}

void Journal::show_output(std::string_view text) {
  heartbeat_.rest();
  tell_client(output_line(terminal_safe(text)));
}

// Steps and complaints are always in the log; a program that never stops printing must not fill the disk.
void Journal::log_output(std::string_view text, std::string_view mark) {
  const auto line = output_line(terminal_safe(text) + std::string(mark));
  const bool fits = logged_output_ <= kLoggedOutput;
  logged_output_ += line.size();
  if (logged_output_ <= kLoggedOutput) {
    log(line);
  } else if (fits) {
    log(fmt::format("       … the rest of the output is left out: it is longer than {}\n",
                    format_bytes(kLoggedOutput)));
  }
}

// "blog: text", where it is not clear already.
std::string Journal::named(std::string_view text) const {
  const auto after = text.starts_with(subject_) ? text.substr(subject_.size(), 1) : std::string_view("x");
  constexpr std::string_view kEndsOfName = " .:,'";
  if (subject_.empty() || after.empty() || kEndsOfName.find(after) != std::string_view::npos) return std::string(text);
  return fmt::format("{}: {}", subject_, text);
}

void Journal::speak_of(std::string app) {
  const std::lock_guard guard(mutex_);
  flush_output();
  subject_ = std::move(app);
}

void Journal::beat() {
  if (!in_step_ || doing_.empty()) return;
  flush_output();
  const auto detail = detail_ ? redactor_.redact(plain_text(detail_())) : std::string{};
  emit("       " + named(fmt::format("still {} ({}){}{}", doing_, format_duration(doing_time_.elapsed()),
                                     detail.empty() ? "" : ": ", detail)));
}

void Journal::begin(std::string_view heading, std::string doing, Detail detail) {
  const std::lock_guard guard(mutex_);
  finish_step();
  emit(fmt::format("-----> {}", heading), true);
  in_step_ = true;
  output_lines_ = error_line_ = 0;
  step_time_ = Stopwatch();
  doing_ = std::move(doing);
  detail_ = std::move(detail);
  doing_time_ = Stopwatch();
  if (!doing_.empty()) heartbeat_.begin();
}

void Journal::now_doing(std::string doing, Detail detail) {
  const std::lock_guard guard(mutex_);
  if (!in_step_) return;
  doing_ = std::move(doing);
  detail_ = std::move(detail);
  doing_time_ = Stopwatch();
  heartbeat_.begin();
}

void Journal::finish_step() {
  flush_output();
  heartbeat_.end();
  if (!in_step_) return;
  in_step_ = false;
  emit("       " + named("done in " + format_duration(step_time_.elapsed())));
}

void Journal::end() {
  const std::lock_guard guard(mutex_);
  finish_step();
}

void Journal::abandon() {
  const std::lock_guard guard(mutex_);
  flush_output();
  heartbeat_.end();
  in_step_ = false;
}

void Journal::headline(std::string_view text) {
  const std::lock_guard guard(mutex_);
  finish_step();
  emit(fmt::format("-----> {}", text), true);
}

void Journal::line(std::string_view text) {
  const std::lock_guard guard(mutex_);
  flush_output();
  emit("       " + named(text));
}

void Journal::complaint(std::string_view text) {
  const std::lock_guard guard(mutex_);
  flush_output();
  emit(" !     " + named(text));
}

void Journal::output(std::string_view chunk) {
  const std::lock_guard guard(mutex_);
  partial_ += chunk;
  std::size_t start = 0;
  for (auto newline = partial_.find('\n'); newline != std::string::npos; newline = partial_.find('\n', start)) {
    emit_output_line(std::string_view(partial_).substr(start, newline - start), To::Everyone, std::exchange(shown_, 0));
    start = newline + 1;
  }
  partial_.erase(0, start);
  cut_long_line();
}

// What may be the beginning of a secret waits until the rest of it is there.
void Journal::cut_long_line() {
  const auto held_back = redactor_.longest();
  if (partial_.size() <= shown_ + kLongestLine + held_back) return;
  partial_ = redactor_.redact(std::move(partial_));
  for (; partial_.size() > shown_ + kLongestLine + held_back; shown_ += kLongestLine) {
    show_output(std::string_view(partial_).substr(shown_, kLongestLine));
  }
  if (partial_.size() <= kLongestRecord + held_back) return;
  log_output(std::string_view(partial_).substr(0, shown_), kContinued);
  partial_.erase(0, std::exchange(shown_, 0));
}

void Journal::flush_output() {
  if (partial_.empty()) return;
  const auto line = std::exchange(partial_, {});
  emit_output_line(line, To::Everyone, std::exchange(shown_, 0));
}

// `shown`: how much of it the client has got already.
void Journal::emit_output_line(std::string_view raw, To to, std::size_t shown) {
  const auto redacted = redactor_.redact(std::string(raw));
  const std::string_view line = redacted;
  if (to == To::Everyone) look_for_error(line);
  if (to != To::Log) {
    for (auto start = shown; start == 0 || start < line.size(); start += kLongestLine) {
      show_output(line.substr(start, kLongestLine));
    }
  }
  if (to == To::Client) return;
  for (std::size_t start = 0; start == 0 || start < line.size(); start += kLongestRecord) {
    log_output(line.substr(start, kLongestRecord), line.size() > start + kLongestRecord ? kContinued : "");
  }
}

void Journal::look_for_error(std::string_view line) {
  ++output_lines_;
  if (error_line_ != 0) return;
  const auto plain = plain_text(line.substr(0, kLongestLine));
  if (!looks_like_error(plain)) return;
  error_line_ = output_lines_;
  error_ = plain;
}

bool Journal::evidence(const std::vector<std::string>& lines) {
  const std::lock_guard guard(mutex_);
  flush_output();
  if (output_lines_ > 0) {
    const auto above = error_line_ == 0 ? 0 : output_lines_ - error_line_;
    if (above >= kExcerptLines) {
      emit(fmt::format("       … the first line that looks like an error, {} above: {}", counted(above, "line"),
                       error_));
    }
    return true;
  }
  for (const auto& line : lines) emit_output_line(line, To::Log);
  for (const auto& line : excerpt(lines)) emit_output_line(line, To::Client);
  return !lines.empty();
}

}  // namespace pushrod
