// What the kernel counts per user id or per network namespace, which all apps share with Pushrod: is some of it left,
// and who has it? Only what cannot be limited per sandbox is here.
#pragma once

#include <sys/types.h>

#include <array>
#include <cstdint>
#include <string_view>

#include "os/unique_fd.hh"

namespace pushrod {

enum class SharedResource { EpollWatches, TcpPorts, UdpPorts, OpenFiles };
inline constexpr std::array kSharedResources = {SharedResource::EpollWatches, SharedResource::TcpPorts,
                                                SharedResource::UdpPorts, SharedResource::OpenFiles};

// "epoll watches"
std::string_view name_of(SharedResource resource);

// Tries to get one of each, and gives it back. Each try costs some microseconds.
class SharedResourceProbe {
 public:
  // Throws SystemError.
  SharedResourceProbe();
  // False also for an error that does not mean that there is none left.
  bool is_used_up(SharedResource resource) const;

 private:
  UniqueFd epoll_;
  UniqueFd event_;
};

// How many there are in all, as the kernel is configured.
std::uint64_t total_of(SharedResource resource);

// How many this process has; of ports an upper bound, the number of its sockets. 0 when it is gone or not ours.
std::uint64_t used_by(pid_t process, SharedResource resource);

}  // namespace pushrod
