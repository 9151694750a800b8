#include "router/listeners.hh"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/error.hh"
#include "os/socket.hh"

namespace pushrod {

namespace {

void open_as(int number, const ListenAddress& address) {
  const auto socket = listen_on(address.host, address.port);
  if (dup3(socket.get(), number, O_CLOEXEC) < 0) throw_errno("number a listening socket");
}

bool is_listening(int fd) {
  int listening = 0;
  socklen_t size = sizeof listening;
  return getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &size) == 0 && listening != 0;
}

Environment bind_to(const std::string& http, const std::string& https) {
  auto environment = tool_environment();
  environment["PUSHROD_HTTP"] = http;
  environment["PUSHROD_HTTPS"] = https;
  return environment;
}

}  // namespace

std::vector<int> open_listeners(const Settings& settings) {
  open_as(kHttpListener, settings.http);
  if (!settings.https) return {kHttpListener};
  open_as(kHttpsListener, *settings.https);
  return {kHttpListener, kHttpsListener};
}

void shut_listeners() {
  for (const int fd : {kHttpListener, kHttpsListener}) {
    if (is_listening(fd)) shutdown(fd, SHUT_RDWR);
  }
}

Environment bind_to_listeners() {
  return bind_to(fmt::format("fd@{}", kHttpListener), fmt::format("fd@{}", kHttpsListener));
}

Environment bind_to_nothing() { return bind_to("127.0.0.1:1", "127.0.0.1:1"); }

}  // namespace pushrod
