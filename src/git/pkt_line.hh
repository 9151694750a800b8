// pkt-lines: git's framing (gitprotocol-common(5)).
// Private to git/.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

namespace pushrod {

constexpr std::size_t kLongestPktLine = 65'520;  // with its four digits of length

// Reads from a descriptor exactly what is asked for and nothing ahead.
class PktLineReader {
 public:
  explicit PktLineReader(int fd) : fd_(fd) {}
  // The payload; absent for a flush packet. Throws Error on anything else: an end in the middle, a length that is no
  // number, too long or reserved; and when more than 16 MiB have come in all.
  std::optional<std::string> next();

 private:
  void read_exactly(char* to, std::size_t count);
  int fd_;
  std::size_t taken_ = 0;
};

}  // namespace pushrod
