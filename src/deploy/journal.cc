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
  const auto shown = terminal_safe(text, redactor_);
  return shown == terminal_safe(text) ? text : plain_text(shown);
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

void Journal::show_output(std::string_view piece) {
  heartbeat_.rest();
  tell_client(output_line(piece));
}

void Journal::log_output(std::string_view piece) {
  if (logged_line_.size() + piece.size() > kLongestRecord) log_line(kContinued);
  logged_line_ += piece;
}

// Steps and complaints are always in the log; a program that never stops printing must not fill the disk.
void Journal::log_line(std::string_view mark) {
  const auto line = output_line(std::exchange(logged_line_, {}) + std::string(mark));
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
  flush_output(OutputLine::Until::Settled);
  const auto detail = detail_ ? plain_text(terminal_safe(detail_(), redactor_)) : std::string{};
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
  for (auto newline = chunk.find('\n'); newline != std::string_view::npos; newline = chunk.find('\n')) {
    line_.add(chunk.substr(0, newline));
    show_line(OutputLine::Until::End);
    chunk.remove_prefix(newline + 1);
  }
  line_.add(chunk);
  for (const auto& piece : line_.take(kLongestLine, OutputLine::Until::Full)) show_piece(piece);
}

void Journal::flush_output(OutputLine::Until until) {
  if (line_.is_begun()) show_line(until);
}

void Journal::show_line(OutputLine::Until until) {
  const auto pieces = line_.take(kLongestLine, until);
  for (const auto& piece : pieces) show_piece(piece);
  if (!pieces.empty() || !logged_line_.empty()) log_line();
  is_at_begin_ = true;
}

void Journal::show_piece(std::string_view piece) {
  if (std::exchange(is_at_begin_, false)) look_for_error(piece);
  show_output(piece);
  log_output(piece);
}

void Journal::look_for_error(std::string_view piece) {
  ++output_lines_;
  if (error_line_ != 0) return;
  const auto plain = plain_text(piece);
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
  OutputLine output(redactor_);
  for (const auto& line : lines) {
    output.add(line);
    for (const auto& piece : output.take(kLongestRecord, OutputLine::Until::End)) log_output(piece);
    log_line();
  }
  for (const auto& line : excerpt(lines)) {
    output.add(line);
    for (const auto& piece : output.take(kLongestLine, OutputLine::Until::End)) show_output(piece);
  }
  return !lines.empty();
}

}  // namespace pushrod
