// What the kernel counts for all apps together: tried, and counted in this process.
#include "os/shared_resources.hh"

#include <gtest/gtest.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <vector>

#include "os/unique_fd.hh"

namespace pushrod {
namespace {

TEST(SharedResources, AreThereOnAMachineThatIsWell) {
  const SharedResourceProbe probe;
  for (const auto resource : kSharedResources) {
    EXPECT_FALSE(probe.is_used_up(resource)) << name_of(resource);
    EXPECT_GT(total_of(resource), 1'000U) << name_of(resource);
  }
}

TEST(SharedResources, EpollWatchesAreCounted) {
  const UniqueFd epoll(epoll_create1(EPOLL_CLOEXEC));
  const auto before = used_by(getpid(), SharedResource::EpollWatches);
  std::vector<UniqueFd> events;
  for (int number = 0; number < 100; ++number) {
    epoll_event wanted{};
    events.emplace_back(eventfd(0, EFD_CLOEXEC));
    ASSERT_EQ(epoll_ctl(epoll.get(), EPOLL_CTL_ADD, events.back().get(), &wanted), 0);
  }
  EXPECT_EQ(used_by(getpid(), SharedResource::EpollWatches), before + 100);
  EXPECT_GT(used_by(getpid(), SharedResource::OpenFiles), 100U);
}

TEST(SharedResources, SocketsAreCountedForPorts) {
  const auto before = used_by(getpid(), SharedResource::UdpPorts);
  const UniqueFd one(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  EXPECT_EQ(used_by(getpid(), SharedResource::UdpPorts), before + 1);
  EXPECT_EQ(used_by(0x3fffffff, SharedResource::UdpPorts), 0U);
}

}  // namespace
}  // namespace pushrod
