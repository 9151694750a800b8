#include "services/whole_dump.hh"

#include <sys/socket.h>
#include <unistd.h>

#include <array>

#include "base/error.hh"
#include "os/retry.hh"

namespace pushrod {

namespace {
constexpr std::size_t kEnd = 200;
}

WholeDump::WholeDump(int input, std::string mark) : mark_(std::move(mark)) {
  // A socket, because a program that has ended is then an error, not a signal.
  std::array<int, 2> ends{};
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) throw_errno("a pair of sockets");
  output_ = UniqueFd(ends[0]);
  thread_ = std::thread([this, input, to = UniqueFd(ends[1])] { pass_on(input, to.get()); });
}

WholeDump::~WholeDump() { finish(); }

bool WholeDump::came_to_its_end() {
  finish();
  return end_.find(mark_) != std::string::npos;
}

void WholeDump::finish() {
  output_.reset();
  if (thread_.joinable()) thread_.join();
}

void WholeDump::pass_on(int input, int to) {
  std::array<char, 65'536> buffer{};
  while (true) {
    const auto got = retry_interrupted([&] { return read(input, buffer.data(), buffer.size()); });
    if (got <= 0) return;
    const auto size = static_cast<std::size_t>(got);
    for (std::size_t sent = 0; sent < size;) {
      const auto more = retry_interrupted([&] { return send(to, buffer.data() + sent, size - sent, MSG_NOSIGNAL); });
      if (more <= 0) return;
      sent += static_cast<std::size_t>(more);
    }
    end_.append(buffer.data(), size);
    if (end_.size() > kEnd) end_.erase(0, end_.size() - kEnd);
  }
}

}  // namespace pushrod
