// Where connections are accepted, for many ports at once.
#pragma once

#include <optional>
#include <set>

#include "os/socket.hh"

namespace pushrod {

// The TCP ports at which a connection to 127.0.0.1 would be accepted now: a socket listens there, and its queue has
// room. One question to the kernel (sock_diag(7)), which no listening process notices; a connection would wake each of
// them. Absent when the kernel does not tell.
std::optional<std::set<Port>> accepting_ports();

// How many connections to this port the kernel has made that no listening process has accepted. 0 also when the kernel
// does not tell.
unsigned connections_waiting_at(Port port);

}  // namespace pushrod
