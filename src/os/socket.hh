// The few socket operations that Pushrod itself needs: asking a local port, talking to a Unix socket.
// Every call has a deadline.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "os/unique_fd.hh"

namespace pushrod {

using Port = std::uint16_t;

// Does something accept TCP connections on 127.0.0.1:port? A refused connection answers false at once.
bool accepts_connections(Port port, std::chrono::milliseconds deadline);
// Can 127.0.0.1:port be bound now?
bool is_port_free(Port port);
// Why a server could not listen there now, as an errno; 0 if it could. `host`: an IPv4 or IPv6 address, or "*" (every
// IPv4 address).
int listen_problem(const std::string& host, Port port);
// Listens there, with the kernel's longest queue; does not block. Throws SystemError.
UniqueFd listen_on(const std::string& host, Port port);

// GET path from 127.0.0.1:port (HTTP/1.1, Host and X-Forwarded-Proto as given, Connection: close): the status code;
// absent when there was no HTTP answer within the deadline.
std::optional<int> http_status(Port port, const std::string& host, const std::string& path,
                               std::chrono::milliseconds deadline, bool is_https = false);

// Connects to a Unix stream socket, writes the request and closes that direction, reads until the peer closes. Throws
// SystemError.
std::string ask_unix_socket(const std::filesystem::path& path, std::string_view request,
                            std::chrono::milliseconds deadline);

// One datagram to a Unix datagram socket; false when no process is bound there. Waits up to a second for a full queue.
bool send_datagram(const std::filesystem::path& path, std::string_view message);
// Binds a Unix datagram socket, replacing a left-over file.
UniqueFd bind_datagram(const std::filesystem::path& path);
// The same for a stream socket, which then listens.
UniqueFd listen_unix(const std::filesystem::path& path);

}  // namespace pushrod
