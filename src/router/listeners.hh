// The sockets on which clients reach the router.
// They are the tree's, not HAProxy's: `pushrod up` opens them, s6-svscan and its s6-supervise processes inherit them,
// and pushrod-shim passes them on to the router alone. While a killed HAProxy is started again, clients wait in the
// kernel's queue instead of being refused. A socket is closed when the last process of the tree ends.
#pragma once

#include <vector>

#include "model/settings.hh"
#include "os/command.hh"

namespace pushrod {

// Their numbers in every process that has them; src/shim/shim.cc knows the first one.
inline constexpr int kHttpListener = 60;
inline constexpr int kHttpsListener = 61;

// Opens them in this process, close-on-exec, under their numbers. Throws SystemError when an address cannot be used.
// Returns the numbers, for Command::inherit.
std::vector<int> open_listeners(const Settings& settings);

// From here on, the kernel refuses new connections. Those that HAProxy has accepted go on. For a process that has
// inherited the sockets; in any other, it does nothing.
void shut_listeners();

// What the configuration binds to: it names the sockets by variables, because `haproxy -c` has no sockets. There, an
// address that is never bound stands in their place.
Environment bind_to_listeners();
Environment bind_to_nothing();

}  // namespace pushrod
