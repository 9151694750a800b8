// What a deployment tells, line by line.
// Floor 6.
#include "deploy/journal.hh"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <climits>

#include "base/text.hh"
#include "os/files.hh"

namespace pushrod {

namespace {
constexpr std::size_t kLongestLine = 2000;

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

void Journal::open_log(const std::filesystem::path& file) {
  make_directory(file.parent_path());
  logs_.push_back(open_file(file, O_WRONLY | O_CREAT | O_APPEND, 0600));
  logged_output_ = 0;
}

void Journal::log(std::string_view line) {
  for (const auto& log : logs_) {
    for (auto rest = line; !rest.empty() && write_some(log.get(), rest, rest.size());) {
    }
  }
}

// Who reads a pipe and finds it not full has room for PIPE_BUF bytes, so that the write does not block either. The
// deployment outlives its client: one that is gone, or reads no more, is not our failure.
void Journal::tell_client(std::string_view text) {
  while (client_ >= 0 && !text.empty()) {
    if (!takes_more(client_, Deadline(patience_)) || !write_some(client_, text, PIPE_BUF)) client_ = -1;
  }
}

void Journal::emit(std::string_view text, bool bold) {
  const auto plain = fmt::format("{}\n", text);
  log(plain);
  tell_client(bold && colours_ ? fmt::format("\x1b[1m{}\x1b[0m\n", text) : plain);
}

// Steps and complaints are always in the log; a program that never stops printing shall not fill the disk.
void Journal::emit_output(std::string_view text) {
  const auto line = fmt::format("       {}\n", text);
  const bool fits = logged_output_ <= kLoggedOutput;
  logged_output_ += line.size();
  if (logged_output_ <= kLoggedOutput) {
    log(line);
  } else if (fits) {
    log(fmt::format("       … the rest of the output is left out: it is longer than {}\n",
                    format_bytes(kLoggedOutput)));
  }
  tell_client(line);
}

void Journal::begin(std::string text) {
  if (in_step_) end();
  held_ = std::move(text);
  in_step_ = true;
  has_shown_output_ = false;
  step_time_ = Stopwatch();
}

void Journal::show_now() {
  if (!held_) return;
  emit("-----> " + *held_, true);
  held_.reset();
}

void Journal::end() {
  flush_output();
  if (!in_step_) return;
  in_step_ = false;
  const auto time = format_duration(step_time_.elapsed());
  if (held_) {
    emit(fmt::format("-----> {} … {}", *held_, time), true);
    held_.reset();
  } else {
    emit("       … " + time);
  }
}

void Journal::abandon() {
  flush_output();
  show_now();
  in_step_ = false;
}

void Journal::headline(std::string_view text) {
  if (in_step_) end();
  emit(fmt::format("-----> {}", text), true);
}

void Journal::line(std::string_view text) {
  flush_output();
  show_now();
  emit(fmt::format("       {}", text));
}

void Journal::complaint(std::string_view text) {
  flush_output();
  show_now();
  emit(fmt::format(" !     {}", text));
}

void Journal::output(std::string_view chunk) {
  has_shown_output_ = true;
  show_now();
  partial_ += chunk;
  std::size_t start = 0;
  for (auto newline = partial_.find('\n'); newline != std::string::npos; newline = partial_.find('\n', start)) {
    emit_output_line(std::string_view(partial_).substr(start, newline - start));
    start = newline + 1;
  }
  partial_.erase(0, start);
  cut_long_line();
}

// What may be the beginning of a secret waits until the rest of it is there.
void Journal::cut_long_line() {
  const auto held_back = redactor_.longest();
  if (partial_.size() <= kLongestLine + held_back) return;
  partial_ = redactor_.redact(std::move(partial_));
  std::size_t start = 0;
  for (; partial_.size() - start > kLongestLine + held_back; start += kLongestLine) {
    emit_output(terminal_safe(std::string_view(partial_).substr(start, kLongestLine)));
  }
  partial_.erase(0, start);
}

void Journal::flush_output() {
  if (partial_.empty()) return;
  emit_output_line(partial_);
  partial_.clear();
}

void Journal::emit_output_line(std::string_view raw) {
  const auto line = redactor_.redact(std::string(raw));
  for (std::size_t start = 0; start == 0 || start < line.size(); start += kLongestLine) {
    emit_output(terminal_safe(std::string_view(line).substr(start, kLongestLine)));
  }
}

}  // namespace pushrod
