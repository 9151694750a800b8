// What a process and its descendants listen on, read from /proc. Needs no right beyond that to look at one's own
// processes; what may not be read, or ends meanwhile, is left out.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "os/socket.hh"

namespace pushrod {

struct Listener {
  std::string address;           // "0.0.0.0:3000", "[::1]:3000"; of a Unix socket its path
  Port port = 0;                 // 0: a Unix socket
  bool takes_127_0_0_1 = false;  // a connection to 127.0.0.1:port reaches it
  bool operator==(const Listener&) const = default;
};

// In the order of ports. `root` itself counts. Processes in another network namespace have no listeners here.
std::vector<Listener> listeners_of(pid_t root);

}  // namespace pushrod
