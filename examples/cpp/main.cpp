// A web server without dependencies.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>

namespace {

const std::string kBody = "Hello from C++\n";

void answer(int client) {
  std::string request;
  char part[4096];
  while (request.find("\r\n\r\n") == std::string::npos) {
    const ssize_t length = read(client, part, sizeof part);
    if (length <= 0) break;
    request.append(part, static_cast<std::size_t>(length));
  }
  const std::string response = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nConnection: close\r\nContent-Length: " +
                               std::to_string(kBody.size()) + "\r\n\r\n" + kBody;
  if (write(client, response.data(), response.size()) < 0) std::perror("write");
  close(client);
}

}  // namespace

int main() {
  const char* port = std::getenv("PORT");
  if (port == nullptr) return 1;
  const int listener = socket(AF_INET, SOCK_STREAM, 0);
  const int yes = 1;
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<std::uint16_t>(std::atoi(port)));
  if (bind(listener, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 || listen(listener, 128) != 0) {
    std::perror("listen");
    return 1;
  }
  for (;;) {
    const int client = accept(listener, nullptr, nullptr);
    if (client >= 0) std::thread(answer, client).detach();
  }
}
