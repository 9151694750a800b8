// Local sockets with deadlines.
// Health checks ask ports, the router room talks to HAProxy's socket, the gate nudges the daemon.
#include "os/socket.hh"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "base/error.hh"
#include "base/text.hh"
#include "os/retry.hh"

namespace pushrod {

namespace {

sockaddr_in loopback(Port port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

// The kernel takes every type of address as sockaddr.
template <typename Address>
const sockaddr* generic(const Address& address) {
  return reinterpret_cast<const sockaddr*>(&address);
}

UniqueFd make_socket(int domain, int type) {
  UniqueFd fd(socket(domain, type | SOCK_CLOEXEC, 0));
  if (!fd) throw_errno("make a socket");
  return fd;
}

// A port in the ephemeral range without a listener may be given to this end, which then talks to itself.
bool is_connected_to_itself(int fd) {
  sockaddr_in own{};
  sockaddr_in peer{};
  socklen_t own_length = sizeof own;
  socklen_t peer_length = sizeof peer;
  return getsockname(fd, reinterpret_cast<sockaddr*>(&own), &own_length) == 0 &&
         getpeername(fd, reinterpret_cast<sockaddr*>(&peer), &peer_length) == 0 && own.sin_port == peer.sin_port;
}

// A non-blocking connection to 127.0.0.1:port; empty when there is none within the deadline.
UniqueFd connect_to_port(Port port, const Deadline& deadline) {
  UniqueFd fd = make_socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK);
  const sockaddr_in address = loopback(port);
  if (connect(fd.get(), generic(address), sizeof address) != 0) {
    if (errno != EINPROGRESS && errno != EINTR) return {};
    if (!wait_for(fd.get(), POLLOUT, deadline)) return {};
    int error = 0;
    socklen_t length = sizeof error;
    if (getsockopt(fd.get(), SOL_SOCKET, SO_ERROR, &error, &length) != 0 || error != 0) return {};
  }
  if (is_connected_to_itself(fd.get())) return {};
  return fd;
}

bool send_within(int fd, std::string_view data, const Deadline& deadline) {
  while (!data.empty()) {
    const ssize_t sent = retry_interrupted([&] { return send(fd, data.data(), data.size(), MSG_NOSIGNAL); });
    if (sent >= 0) {
      data.remove_prefix(static_cast<std::size_t>(sent));
    } else if (errno != EAGAIN || !wait_for(fd, POLLOUT, deadline)) {
      return false;
    }
  }
  return true;
}

// The status code of a response of which the whole first line is there.
std::optional<int> parse_status_line(std::string_view line) {
  constexpr std::string_view kVersion = "HTTP/1.";
  if (!line.starts_with(kVersion) || line.size() < kVersion.size() + 5) return std::nullopt;
  line.remove_prefix(kVersion.size() + 1);
  const auto code = parse_unsigned(line.substr(1, 3));
  const bool ends = line.size() == 4 || line[4] == ' ' || line[4] == '\r';
  if (line[0] != ' ' || !code || !ends || *code < 100 || *code > 599) return std::nullopt;
  return static_cast<int>(*code);
}

struct ParsedStatus {
  bool complete = false;  // more bytes would not change it
  std::optional<int> code;
};

// Skips interim responses (100 Continue, 103 Early Hints), which are followed by the real one.
ParsedStatus parse_status(std::string_view answer) {
  while (true) {
    const std::size_t line_end = answer.find('\n');
    if (line_end == std::string_view::npos) return {};
    const auto code = parse_status_line(answer.substr(0, line_end));
    if (!code || *code >= 200 || *code == 101) return {true, code};
    const std::size_t head_end = answer.find("\r\n\r\n");
    if (head_end == std::string_view::npos) return {};
    answer.remove_prefix(head_end + 4);
  }
}

// A Unix socket's address. Paths longer than sun_path go by way of their directory's descriptor, which must stay open
// as long as the address is used.
class UnixAddress {
 public:
  explicit UnixAddress(const std::filesystem::path& path) {
    address_.sun_family = AF_UNIX;
    std::string name = path.native();
    if (name.size() >= sizeof address_.sun_path) {
      directory_ = UniqueFd(open(path.parent_path().c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
      error_ = directory_ ? 0 : errno;
      name = "/proc/self/fd/" + std::to_string(directory_.get()) + "/" + path.filename().native();
    }
    if (name.size() >= sizeof address_.sun_path) error_ = error_ != 0 ? error_ : ENAMETOOLONG;
    if (error_ == 0) name.copy(static_cast<char*>(address_.sun_path), sizeof address_.sun_path - 1);
  }

  int connect_to(int fd) const {
    return call([&] { return retry_interrupted([&] { return connect(fd, generic(address_), sizeof address_); }); });
  }
  int bind_to(int fd) const {
    return call([&] { return bind(fd, generic(address_), sizeof address_); });
  }

 private:
  template <typename Call>
  int call(const Call& system_call) const {
    if (error_ == 0) return system_call();
    errno = error_;
    return -1;
  }

  sockaddr_un address_{};
  UniqueFd directory_;
  int error_ = 0;
};

void set_non_blocking(int fd) {
  if (fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK) != 0) throw_errno("make a socket non-blocking");
}

}  // namespace

bool accepts_connections(Port port, std::chrono::milliseconds deadline) {
  return static_cast<bool>(connect_to_port(port, Deadline(deadline)));
}

bool is_port_free(Port port) { return port != 0 && listen_problem("127.0.0.1", port) == 0; }

namespace {

// An errno, or 0 and a socket that is bound there.
int bind_tcp(const std::string& host, Port port, UniqueFd& fd) {
  sockaddr_storage address{};
  auto* ipv4 = reinterpret_cast<sockaddr_in*>(&address);
  auto* ipv6 = reinterpret_cast<sockaddr_in6*>(&address);
  socklen_t size = sizeof *ipv4;
  if (inet_pton(AF_INET, host == "*" ? "0.0.0.0" : host.c_str(), &ipv4->sin_addr) == 1) {
    ipv4->sin_family = AF_INET;
    ipv4->sin_port = htons(port);
  } else if (inet_pton(AF_INET6, host.c_str(), &ipv6->sin6_addr) == 1) {
    ipv6->sin6_family = AF_INET6;
    ipv6->sin6_port = htons(port);
    size = sizeof *ipv6;
  } else {
    return EINVAL;
  }
  fd = make_socket(address.ss_family, SOCK_STREAM | SOCK_NONBLOCK);
  // As servers do: connections of the former owner that linger in TIME_WAIT do not count.
  const int on = 1;
  if (setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0) throw_errno("set SO_REUSEADDR");
  return bind(fd.get(), generic(address), size) == 0 ? 0 : errno;
}

}  // namespace

int listen_problem(const std::string& host, Port port) {
  UniqueFd fd;
  return bind_tcp(host, port, fd);
}

UniqueFd listen_on(const std::string& host, Port port) {
  const auto doing = "listen on " + host + ":" + std::to_string(port);
  UniqueFd fd;
  if (const int problem = bind_tcp(host, port, fd); problem != 0) throw SystemError(doing, problem);
  if (listen(fd.get(), SOMAXCONN) != 0) throw_errno(doing);
  return fd;
}

std::optional<int> http_status(Port port, const std::string& host, const std::string& path,
                               std::chrono::milliseconds deadline, bool is_https) {
  const auto forges_request = [](char character) { return static_cast<unsigned char>(character) <= ' '; };
  if (std::any_of(host.begin(), host.end(), forges_request) || std::any_of(path.begin(), path.end(), forges_request)) {
    throw Error("ask " + quoted(host) + " for " + quoted(path) + ": spaces and control characters are not allowed");
  }
  const Deadline until(deadline);
  const UniqueFd fd = connect_to_port(port, until);
  if (!fd) return std::nullopt;
  const std::string request = "GET " + path + " HTTP/1.1\r\nHost: " + host +
                              "\r\nX-Forwarded-Proto: " + (is_https ? "https" : "http") +
                              "\r\nUser-Agent: pushrod\r\nAccept: */*\r\nConnection: close\r\n\r\n";
  if (!send_within(fd.get(), request, until)) return std::nullopt;

  constexpr std::size_t kLongestHead = 65'536;
  std::string answer;
  std::array<char, 4096> buffer{};
  while (answer.size() < kLongestHead && wait_for(fd.get(), POLLIN, until)) {
    const ssize_t got = retry_interrupted([&] { return recv(fd.get(), buffer.data(), buffer.size(), 0); });
    if (got < 0 && errno == EAGAIN) continue;
    if (got <= 0) return std::nullopt;
    answer.append(buffer.data(), static_cast<std::size_t>(got));
    const ParsedStatus status = parse_status(answer);
    if (status.complete) return status.code;
  }
  return std::nullopt;
}

std::string ask_unix_socket(const std::filesystem::path& path, std::string_view request,
                            std::chrono::milliseconds deadline) {
  constexpr std::size_t kLongestAnswer = std::size_t{64} << 20;
  const std::string doing = "ask the socket " + quoted(path.native());
  const Deadline until(deadline);
  const UniqueFd fd = make_socket(AF_UNIX, SOCK_STREAM);
  // A full backlog cannot be waited for with poll; the send timeout bounds a blocking connect.
  const auto left = std::max(until.left(), Milliseconds{1});
  const timeval timeout{left.count() / 1'000, left.count() % 1'000 * 1'000};
  if (setsockopt(fd.get(), SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof timeout) != 0) throw_errno(doing);
  if (UnixAddress(path).connect_to(fd.get()) != 0) throw SystemError(doing, errno == EAGAIN ? ETIMEDOUT : errno);
  set_non_blocking(fd.get());

  // Both ways at once: a peer that answers while we still write must not block on us.
  std::string answer;
  std::array<char, 16'384> buffer{};
  while (true) {
    const int events = POLLIN | (request.empty() ? 0 : POLLOUT);
    if (!wait_for(fd.get(), static_cast<short>(events), until)) throw SystemError(doing, ETIMEDOUT);
    if (!request.empty()) {
      const ssize_t sent =
          retry_interrupted([&] { return send(fd.get(), request.data(), request.size(), MSG_NOSIGNAL); });
      if (sent >= 0) request.remove_prefix(static_cast<std::size_t>(sent));
      if (sent < 0 && errno != EAGAIN && errno != EPIPE) throw_errno(doing);
      // A peer that closed early may have sent the reason.
      if (sent < 0 && errno == EPIPE) request = {};
      // The end of the request: HAProxy's master keeps the connection open until it sees it. Fails only when the peer
      // has closed already.
      if (request.empty()) static_cast<void>(shutdown(fd.get(), SHUT_WR));
    }
    const ssize_t got = retry_interrupted([&] { return recv(fd.get(), buffer.data(), buffer.size(), 0); });
    if (got == 0) return answer;
    if (got < 0 && errno != EAGAIN) throw_errno(doing);
    if (got > 0) answer.append(buffer.data(), static_cast<std::size_t>(got));
    if (answer.size() > kLongestAnswer) throw SystemError(doing, EMSGSIZE);
  }
}

bool send_datagram(const std::filesystem::path& path, std::string_view message) {
  const std::string doing = "send to the socket " + quoted(path.native());
  const UniqueFd fd = make_socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK);
  const auto nobody_there = [] { return errno == ENOENT || errno == ECONNREFUSED; };
  // Connected, so that poll knows of the receiver's full queue.
  if (UnixAddress(path).connect_to(fd.get()) != 0) {
    if (nobody_there()) return false;
    throw_errno(doing);
  }
  const Deadline until(Milliseconds{1'000});
  while (retry_interrupted([&] { return send(fd.get(), message.data(), message.size(), MSG_NOSIGNAL); }) < 0) {
    if (nobody_there()) return false;
    if (errno != EAGAIN) throw_errno(doing);
    if (!wait_for(fd.get(), POLLOUT, until)) throw SystemError(doing, EAGAIN);
  }
  return true;
}

namespace {

UniqueFd bind_unix(const std::filesystem::path& path, int type) {
  const std::string doing = "bind the socket " + quoted(path.native());
  UniqueFd fd = make_socket(AF_UNIX, type);
  struct stat status {};
  if (lstat(path.c_str(), &status) == 0) {
    if (!S_ISSOCK(status.st_mode)) throw SystemError(doing, EEXIST);
    if (unlink(path.c_str()) != 0 && errno != ENOENT) throw_errno(doing);
  }
  // The socket's own mode becomes that of its name: never open to others, not even for a moment.
  if (fchmod(fd.get(), 0600) != 0) throw_errno(doing);
  if (UnixAddress(path).bind_to(fd.get()) != 0) throw_errno(doing);
  return fd;
}

}  // namespace

UniqueFd bind_datagram(const std::filesystem::path& path) { return bind_unix(path, SOCK_DGRAM); }

UniqueFd listen_unix(const std::filesystem::path& path) {
  UniqueFd fd = bind_unix(path, SOCK_STREAM);
  if (listen(fd.get(), SOMAXCONN) != 0) throw_errno("listen on the socket " + quoted(path.native()));
  return fd;
}

}  // namespace pushrod
