// What this machine has and lacks, as far as instances and the router need it.
#pragma once

#include <cstdint>

namespace pushrod {

// Throws UserError when no instance could run here, with the remedy. `doctor` calls MISSING what this refuses.
void check_sandboxes();

// Each connection takes descriptors of the router.
struct ConnectionLimit {
  std::uint64_t open_files = 0;  // what a process that this one starts may have open
  unsigned connections = 0;      // of clients, at a time
};
ConnectionLimit connection_limit();

}  // namespace pushrod
