// What a deployment tells, line by line.
// Floor 6.
#include "deploy/journal.hh"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>

#include "base/text.hh"
#include "os/files.hh"

namespace pushrod {

namespace {
constexpr std::size_t kLongestLine = 2000;

// A reader that has gone away is not our failure: the deployment outlives its client.
void write_if_anyone(int fd, std::string_view text) {
  while (!text.empty()) {
    const auto written = write(fd, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return;
    text.remove_prefix(static_cast<std::size_t>(written));
  }
}
}  // namespace

void Journal::open_log(const std::filesystem::path& file) {
  make_directory(file.parent_path());
  logs_.push_back(open_file(file, O_WRONLY | O_CREAT | O_APPEND, 0600));
}

void Journal::emit(std::string_view text, bool bold) {
  const auto plain = fmt::format("{}\n", text);
  for (const auto& log : logs_) write_if_anyone(log.get(), plain);
  if (client_ >= 0) write_if_anyone(client_, bold && colours_ ? fmt::format("\x1b[1m{}\x1b[0m\n", text) : plain);
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
    emit("       " + terminal_safe(std::string_view(partial_).substr(start, kLongestLine)));
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
    emit("       " + terminal_safe(std::string_view(line).substr(start, kLongestLine)));
  }
}

}  // namespace pushrod
