// Asking local sockets, with peers of every temper.
#include "os/socket.hh"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <thread>

#include "base/error.hh"
#include "fixtures.hh"
#include "os/files.hh"

namespace pushrod {
namespace {

using namespace std::chrono_literals;

// A TCP server on a port of its own that answers one connection after another with a fixed list of chunks.
class Server {
 public:
  explicit Server(std::vector<std::string> chunks = {}, bool hangs_up = true)
      : chunks_(std::move(chunks)), hangs_up_(hangs_up) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof address;
    auto* generic = reinterpret_cast<sockaddr*>(&address);
    const int on = 1;  // as every server does
    EXPECT_EQ(setsockopt(fd_.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on), 0);
    EXPECT_EQ(bind(fd_.get(), generic, length), 0);
    EXPECT_EQ(listen(fd_.get(), 16), 0);
    EXPECT_EQ(getsockname(fd_.get(), generic, &length), 0);
    port_ = ntohs(address.sin_port);
    thread_ = std::jthread([this] { serve(); });
  }
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;
  ~Server() { shutdown(fd_.get(), SHUT_RDWR); }

  Port port() const { return port_; }
  // What the last client asked. Call when the server is gone or has answered.
  const std::string& request() {
    shutdown(fd_.get(), SHUT_RDWR);
    thread_.join();
    return request_;
  }

 private:
  void serve() {
    std::vector<UniqueFd> open;
    while (true) {
      UniqueFd client(accept4(fd_.get(), nullptr, nullptr, SOCK_CLOEXEC));
      if (!client) return;
      if (chunks_.empty() && hangs_up_) continue;
      std::string buffer(4'096, '\0');
      request_.clear();
      while (request_.find("\r\n\r\n") == std::string::npos) {
        const ssize_t got = recv(client.get(), buffer.data(), buffer.size(), 0);
        if (got <= 0) break;
        request_.append(buffer, 0, static_cast<std::size_t>(got));
      }
      for (const std::string& chunk : chunks_) send(client.get(), chunk.data(), chunk.size(), MSG_NOSIGNAL);
      if (!hangs_up_) open.push_back(std::move(client));
    }
  }

  std::vector<std::string> chunks_;
  bool hangs_up_;
  UniqueFd fd_{socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  Port port_ = 0;
  std::string request_;
  std::jthread thread_;
};

Port port_that_nobody_uses() { return Server().port(); }

TEST(Ports, AreProbed) {
  const Server server;
  EXPECT_TRUE(accepts_connections(server.port(), kPatience));
  EXPECT_FALSE(is_port_free(server.port()));
  const Port unused = port_that_nobody_uses();
  EXPECT_FALSE(accepts_connections(unused, kPatience));
  EXPECT_TRUE(is_port_free(unused));
  EXPECT_FALSE(is_port_free(0));
}

TEST(Ports, SayWhyAServerCouldNotListenThere) {
  const Server server;
  EXPECT_EQ(listen_problem("127.0.0.1", server.port()), EADDRINUSE);
  EXPECT_EQ(listen_problem("*", server.port()), EADDRINUSE);
  const Port unused = port_that_nobody_uses();
  EXPECT_EQ(listen_problem("127.0.0.1", unused), 0);
  EXPECT_EQ(listen_problem("*", unused), 0);
  EXPECT_EQ(listen_problem("192.0.2.1", unused), EADDRNOTAVAIL);  // kept for documentation: nobody has it
  EXPECT_EQ(listen_problem("2001:db8::1", unused), EADDRNOTAVAIL);
}

TEST(Ports, AreFreeAgainAlthoughConnectionsLinger) {
  const Port port = [] {
    const Server server({"HTTP/1.1 200 OK\r\n\r\n"});
    EXPECT_EQ(http_status(server.port(), "x", "/", kPatience), 200);
    return server.port();
  }();
  EXPECT_TRUE(is_port_free(port));
}

TEST(HttpStatus, IsReadFromTheFirstLine) {
  const std::vector<std::pair<std::vector<std::string>, std::optional<int>>> table{
      {{"HTTP/1.1 200 OK\r\n\r\n"}, 200},
      {{"HTTP/1.0 503 Service Unavailable\r\n\r\n"}, 503},
      {{"HTTP/1.1 204\r\n\r\n"}, 204},
      {{"HT", "TP/1.1 3", "02 Found\r\n"}, 302},
      {{"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 201 Created\r\n\r\n"}, 201},
      {{"HTTP/1.1 103 Early Hints\r\nLink: x\r\n", "\r\nHTTP/1.1 404 Not Found\r\n\r\n"}, 404},
      {{"HTTP/1.1 101 Switching Protocols\r\n\r\n"}, 101},
      {{"SSH-2.0-OpenSSH\r\n"}, std::nullopt},
      {{"HTTP/1.1 2000 OK\r\n\r\n"}, std::nullopt},
      {{"HTTP/1.1 099 X\r\n\r\n"}, std::nullopt},
      {{"HTTP/1.1 20"}, std::nullopt},
      {{"\r\n"}, std::nullopt},
      {{std::string(100'000, 'x')}, std::nullopt},
  };
  for (const auto& [chunks, expected] : table) {
    const Server server(chunks);
    EXPECT_EQ(http_status(server.port(), "example.org", "/", kPatience), expected) << chunks.front().substr(0, 40);
  }
}

TEST(HttpStatus, AsksAsItSays) {
  Server server({"HTTP/1.1 200 OK\r\n\r\n"});
  EXPECT_EQ(http_status(server.port(), "blog.example.org", "/health?x=1", kPatience), 200);
  const std::string& request = server.request();
  EXPECT_TRUE(request.starts_with("GET /health?x=1 HTTP/1.1\r\nHost: blog.example.org\r\n")) << request;
  EXPECT_NE(request.find("\r\nX-Forwarded-Proto: http\r\n"), std::string::npos) << request;
  Server secure({"HTTP/1.1 200 OK\r\n\r\n"});
  EXPECT_EQ(http_status(secure.port(), "blog.example.org", "/", kPatience, true), 200);
  EXPECT_NE(secure.request().find("\r\nX-Forwarded-Proto: https\r\n"), std::string::npos) << secure.request();
  EXPECT_NE(request.find("\r\nConnection: close\r\n"), std::string::npos) << request;
}

TEST(HttpStatus, IsAbsentWithoutAnAnswerInTime) {
  const Server silent({}, false);
  EXPECT_FALSE(http_status(silent.port(), "x", "/", 50ms));
  const Server rude;
  EXPECT_FALSE(http_status(rude.port(), "x", "/", kPatience));
  EXPECT_FALSE(http_status(port_that_nobody_uses(), "x", "/", kPatience));
}

TEST(HttpStatus, NeedNotWaitForTheRest) {
  const Server keeps_open({"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n"}, false);
  EXPECT_EQ(http_status(keeps_open.port(), "x", "/", kPatience), 200);
}

TEST(HttpStatus, RefusesToForgeARequest) {
  EXPECT_THROW(http_status(1, "x\r\nEvil: 1", "/", 50ms), Error);
  EXPECT_THROW(http_status(1, "x", "/ HTTP/1.1\r\nEvil: 1", 50ms), Error);
}

class UnixSockets : public InTemporaryDirectory {
 protected:
  static UniqueFd listen_at(const fs::path& path) {
    UniqueFd fd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.native().copy(static_cast<char*>(address.sun_path), sizeof address.sun_path - 1);
    EXPECT_EQ(bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    EXPECT_EQ(listen(fd.get(), 1), 0);
    return fd;
  }
  static std::string receive(int fd) {
    if (!wait_for(fd, POLLIN, Deadline(kPatience))) return "nothing came";
    std::string buffer(4'096, '\0');
    buffer.resize(static_cast<std::size_t>(recv(fd, buffer.data(), buffer.size(), 0)));
    return buffer;
  }
};

TEST_F(UnixSockets, AnswerIsReadToItsEnd) {
  const UniqueFd listener = listen_at(root_ / "s");
  const std::string long_answer(1'000'000, 'a');
  std::jthread server([&] {
    const UniqueFd client(accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
    EXPECT_EQ(receive(client.get()), "show info\n");
    write_all(client.get(), long_answer, "answer");
  });
  EXPECT_EQ(ask_unix_socket(root_ / "s", "show info\n", kPatience), long_answer);
}

TEST_F(UnixSockets, PeerSeesTheEndOfTheRequest) {
  const UniqueFd listener = listen_at(root_ / "s");
  std::jthread server([&] {
    const UniqueFd client(accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
    EXPECT_EQ(receive(client.get()), "show info\n");
    EXPECT_EQ(receive(client.get()), "");
    write_all(client.get(), "seen", "answer");
  });
  EXPECT_EQ(ask_unix_socket(root_ / "s", "show info\n", kPatience), "seen");
}

TEST_F(UnixSockets, BothSidesMayWriteAtOnce) {
  const UniqueFd listener = listen_at(root_ / "s");
  const std::string much(2'000'000, 'x');
  std::jthread server([&] {
    const UniqueFd client(accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
    write_all(client.get(), much, "answer");
    for (std::size_t taken = 0; taken < much.size();) taken += receive(client.get()).size();
  });
  EXPECT_EQ(ask_unix_socket(root_ / "s", much, kPatience), much);
}

TEST_F(UnixSockets, AskingHasADeadline) {
  const UniqueFd listener = listen_at(root_ / "s");
  try {
    ask_unix_socket(root_ / "s", "x", 50ms);
    FAIL() << "no error";
  } catch (const SystemError& error) {
    EXPECT_EQ(error.code(), ETIMEDOUT);
  }
}

TEST_F(UnixSockets, ConnectingHasADeadlineToo) {
  const UniqueFd listener = listen_at(root_ / "s");
  // Asked until its queue of unaccepted connections is full.
  for (int round = 0; round < 4; ++round) {
    try {
      ask_unix_socket(root_ / "s", "x", 20ms);
      FAIL() << "no error";
    } catch (const SystemError& error) {
      EXPECT_EQ(error.code(), ETIMEDOUT);
    }
  }
}

TEST_F(UnixSockets, AskingNobodyIsAnError) {
  EXPECT_THROW(ask_unix_socket(root_ / "absent", "x", kPatience), SystemError);
  listen_at(root_ / "left-over").reset();
  EXPECT_THROW(ask_unix_socket(root_ / "left-over", "x", kPatience), SystemError);
}

TEST_F(UnixSockets, DatagramArrives) {
  const UniqueFd receiver = bind_datagram(root_ / "d");
  EXPECT_TRUE(send_datagram(root_ / "d", "nudge"));
  EXPECT_EQ(receive(receiver.get()), "nudge");
  struct stat status {};
  ASSERT_EQ(lstat((root_ / "d").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777, 0600U);
}

TEST_F(UnixSockets, DatagramToNobodyIsToldApart) {
  EXPECT_FALSE(send_datagram(root_ / "absent", "nudge"));
  bind_datagram(root_ / "left-over").reset();
  EXPECT_FALSE(send_datagram(root_ / "left-over", "nudge"));
}

TEST_F(UnixSockets, BindingReplacesALeftOverButNoFile) {
  bind_datagram(root_ / "d").reset();
  const UniqueFd receiver = bind_datagram(root_ / "d");
  EXPECT_TRUE(send_datagram(root_ / "d", "x"));
  write_file(root_ / "file", "precious");
  EXPECT_THROW(bind_datagram(root_ / "file"), SystemError);
  EXPECT_EQ(read_file(root_ / "file"), "precious");
}

TEST_F(UnixSockets, PathsMayBeLongerThanAnAddress) {
  const fs::path deep = root_ / std::string(100, 'a') / std::string(100, 'b');
  make_directory(deep);
  const UniqueFd receiver = bind_datagram(deep / "d");
  EXPECT_TRUE(send_datagram(deep / "d", "far"));
  EXPECT_EQ(receive(receiver.get()), "far");
  EXPECT_THROW(bind_datagram(deep / std::string(120, 'c')), SystemError);
}

}  // namespace
}  // namespace pushrod
