// Where a program accepts TCP connections.
#pragma once

#include <compare>
#include <string>

#include "os/socket.hh"

namespace pushrod {

struct Endpoint {
  std::string address;  // an IPv4 address
  Port port = 0;
  std::string str() const { return address + ":" + std::to_string(port); }
  auto operator<=>(const Endpoint&) const = default;
};

// A port of this machine that other machines do not reach.
inline Endpoint loopback(Port port) { return {"127.0.0.1", port}; }

}  // namespace pushrod
