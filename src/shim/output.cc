// What an instance prints, on its way through the keeper to the log.
// Beside the house (README.md); used by keeper.cc.
#include "shim/output.hh"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "shim/parts.hh"

namespace shim {

namespace {

// A pipe that is ready to be written to takes as much without blocking.
constexpr size_t kChunk = 4096;
constexpr char kInsteadOfNul[] = "\xEF\xBF\xBD";  // U+FFFD
constexpr size_t kLength = sizeof kInsteadOfNul - 1;

// A chunk is read into the last part, and grows to the front: what is written of it never meets what is still unread.
alignas(kChunk) char buffer[kLength * kChunk];

constexpr int kLogFd = 1;
constexpr int kMostPatience = 1000;  // milliseconds

}  // namespace

int Output::open() {
  int ends[2];
  // Only our end does not block: the app's is its standard output.
  const bool made = pipe2(ends, O_CLOEXEC) == 0 && ends[0] == kOutputFd && fcntl(ends[0], F_SETFL, O_NONBLOCK) == 0;
  if (!made) fail("make", "a pipe for output");
  return ends[1];
}

pollfd Output::event() const {
  if (size_ > 0) return {kLogFd, POLLOUT, 0};
  return {is_open_ ? kOutputFd : -1, POLLIN, 0};
}

bool Output::read_chunk() {
  char* const chunk = buffer + sizeof buffer - kChunk;
  const ssize_t got = read(kOutputFd, chunk, kChunk);
  if (got <= 0) {
    is_open_ = got < 0;
    return false;
  }
  const auto length = static_cast<size_t>(got);
  start_ = chunk;
  size_ = length;
  if (memchr(chunk, '\0', length) == nullptr) return true;
  char* end = buffer;
  for (size_t at = 0; at < length; ++at) {
    const char c = chunk[at];
    if (c != '\0') {
      *end++ = c;
    } else {
      memcpy(end, kInsteadOfNul, kLength);
      end += kLength;
    }
  }
  start_ = buffer;
  size_ = static_cast<size_t>(end - buffer);
  return true;
}

bool Output::write_chunk(int patience) {
  pollfd log = {kLogFd, POLLOUT, 0};
  if (poll(&log, 1, patience) <= 0) return false;
  // Without a reader of the log, what the app prints is lost, and the app does not wait.
  const bool is_gone = (log.revents & (POLLERR | POLLNVAL)) != 0;
  const ssize_t written =
      is_gone ? static_cast<ssize_t>(size_) : write(kLogFd, start_, size_ < kChunk ? size_ : kChunk);
  if (written <= 0) return false;
  start_ += written;
  in_line_ = start_[-1] != '\n';
  size_ -= static_cast<size_t>(written);
  return true;
}

void Output::pass_on() {
  if (size_ > 0 && !write_chunk(0)) return;
  if (size_ == 0 && read_chunk()) write_chunk(0);
}

void Output::finish() {
  while (size_ > 0 || read_chunk()) {
    if (!write_chunk(kMostPatience)) return;
  }
  if (!in_line_) return;
  buffer[0] = '\n';
  start_ = buffer;
  size_ = 1;
  write_chunk(kMostPatience);
}

}  // namespace shim
