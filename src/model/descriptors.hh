// How many file descriptors the parts of the platform may have. All of them run under one user id, and the kernel
// counts the descriptors that are on their way through Unix sockets per user id: a process can send one only while that
// count is not above its own limit of open files (unix(7), ETOOMANYREFS). So apps get a lower limit than the router,
// which passes sockets on to its workers; they run into theirs first.
#pragma once

#include <algorithm>
#include <cstdint>

namespace pushrod {

// The router takes as many as the system allows (src/tree/up.cc). Apps get fewer than this, so that it can have these.
inline constexpr std::uint64_t kRouterDescriptors = 16'384;
// One message carries 253 at most, and several messages may pass the check at the same time: hence the margin.
inline constexpr std::uint64_t kMostAppDescriptors = 12'288;

// The most that a process of an app may have open where Pushrod itself may have `hard`. The shim leaves the same
// quarter (src/shim/walls.cc).
constexpr std::uint64_t most_app_descriptors(std::uint64_t hard) {
  return std::min(kMostAppDescriptors, hard - hard / 4);
}

}  // namespace pushrod
