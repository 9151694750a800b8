// Reading and writing pkt-lines.
// protocol.cc speaks through these.
#include "git/pkt_line.hh"

#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>

#include "base/error.hh"
#include "base/text.hh"
#include "git/protocol.hh"

namespace pushrod {

namespace {
constexpr std::size_t kLengthDigits = 4;
constexpr std::size_t kMostBytes = std::size_t{16} << 20;
}  // namespace

std::string pkt_line(std::string_view payload) {
  if (payload.size() > kLongestPktLine - kLengthDigits) throw Error("a line is too long for git's protocol");
  return fmt::format("{:04x}{}", payload.size() + kLengthDigits, payload);
}

std::optional<std::string> PktLineReader::next() {
  std::array<char, kLengthDigits> digits{};
  read_exactly(digits.data(), digits.size());
  std::size_t length = 0;
  const char* end = digits.data() + digits.size();
  const auto [stopped_at, failure] = std::from_chars(digits.data(), end, length, 16);
  const bool is_number = failure == std::errc{} && stopped_at == end;
  if (is_number && length == 0) return std::nullopt;
  if (!is_number || length < kLengthDigits || length > kLongestPktLine) {
    throw Error(fmt::format("git sent a line with an invalid length: {}",
                            quoted(std::string_view(digits.data(), digits.size()))));
  }
  taken_ += length;
  if (taken_ > kMostBytes) throw Error("git sent more than 16 MiB of commands");
  std::string payload(length - kLengthDigits, '\0');
  read_exactly(payload.data(), payload.size());
  return payload;
}

void PktLineReader::read_exactly(char* to, std::size_t count) {
  while (count > 0) {
    const ssize_t got = read(fd_, to, count);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw_errno("read what git says");
    if (got == 0) throw Error("git closed the connection in the middle of its commands");
    to += got;
    count -= static_cast<std::size_t>(got);
  }
}

}  // namespace pushrod
