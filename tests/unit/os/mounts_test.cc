// What is mounted where, and where a directory lies in its file system.
#include "os/mounts.hh"

#include <gtest/gtest.h>

namespace pushrod {
namespace {

// A system in a directory (pivot_root, a container of its own), with a file system of its own for /srv/data.
constexpr const char* kMountinfo =
    "101 90 254:0 /systems/one / rw,relatime - ext4 /dev/vda rw\n"
    "102 101 0:22 / /proc rw,nosuid - proc proc rw\n"
    "103 101 254:16 /volume /srv/data rw shared:5 - ext4 /dev/vdb rw\n"
    "104 101 254:0 /shared\\040files /srv/with\\040space rw - ext4 /dev/vda rw\n"
    "no mount\n";

TEST(Mounts, AreReadAsTheKernelWritesThem) {
  const auto mounts = parse_mountinfo(kMountinfo);
  ASSERT_EQ(mounts.size(), 4u);
  EXPECT_EQ(mounts[0].point, "/");
  EXPECT_EQ(mounts[0].shown, (DevicePath{"254:0", "/systems/one"}));
  EXPECT_EQ(mounts[3].point, "/srv/with space");
  EXPECT_EQ(mounts[3].shown, (DevicePath{"254:0", "/shared files"}));
}

TEST(Mounts, TellWhereADirectoryLiesInItsFileSystem) {
  const auto mounts = parse_mountinfo(kMountinfo);
  EXPECT_EQ(device_path_of("/home/deploy/pushrod", mounts), (DevicePath{"254:0", "/systems/one/home/deploy/pushrod"}));
  EXPECT_EQ(device_path_of("/srv/data/pushrod", mounts), (DevicePath{"254:16", "/volume/pushrod"}));
  EXPECT_EQ(device_path_of("/srv/data", mounts), (DevicePath{"254:16", "/volume"}));
  EXPECT_EQ(device_path_of("/srv/database", mounts), (DevicePath{"254:0", "/systems/one/srv/database"}));
  EXPECT_EQ(device_path_of("/srv", {}), DevicePath{});
}

TEST(Mounts, ALaterOneHidesAnEarlierOne) {
  const auto mounts =
      parse_mountinfo("1 0 8:1 / / rw - ext4 a rw\n2 1 8:2 / /srv rw - ext4 b rw\n3 2 8:3 / /srv rw - ext4 c rw\n");
  EXPECT_EQ(device_path_of("/srv/x", mounts), (DevicePath{"8:3", "/x"}));
}

TEST(Mounts, OfThisProcessAreThere) {
  EXPECT_FALSE(device_path_of("/tmp", mounts_of("/proc/self")).device.empty());
  EXPECT_TRUE(mounts_of("/proc/nobody").empty());
}

}  // namespace
}  // namespace pushrod
