// How much memory the machine has left.
#pragma once

namespace pushrod {

// Is less than a tenth of the machine's memory available, and less than 256 MiB? By MemAvailable of /proc/meminfo:
// what programs can still get without swapping. False where the kernel does not say.
bool is_memory_short();

}  // namespace pushrod
