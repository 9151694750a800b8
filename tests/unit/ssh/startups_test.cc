// How many connections may wait for their login.
#include "ssh/startups.hh"

#include <gtest/gtest.h>

#include "ssh/sshd.hh"

namespace pushrod {
namespace {

constexpr std::uint64_t kGiga = std::uint64_t{1} << 30;

TEST(Startups, TakeAnEighthOfTheMemoryAtMost) {
  EXPECT_EQ(startups_for(24 * kGiga, "").most, 1000U);
  EXPECT_EQ(startups_for(4 * kGiga, "").most, 315U);
  EXPECT_EQ(startups_for(kGiga / 2, "").most, 120U) << "one address fills them";
}

TEST(Startups, KnowWhichServerHasPenalties) {
  for (const auto* old :
       {"OpenSSH_9.2p1 Debian-2+deb12u10, OpenSSL 3.0.19", "OpenSSH_9.7p1", "OpenSSH_8.4p1", "", "sshd"}) {
    EXPECT_FALSE(startups_for(kGiga, old).has_penalties) << old;
  }
  for (const auto* recent :
       {"OpenSSH_9.8p1", "OpenSSH_10.0p2 Debian-7+deb13u4, OpenSSL 3.5.9", "OpenSSH_9.10", "OpenSSH_11"}) {
    EXPECT_TRUE(startups_for(kGiga, recent).has_penalties) << recent;
  }
}

TEST(Startups, SwitchPenaltiesOffWhereThereAreSome) {
  const auto text = [](bool has_penalties) {
    return render_sshd_config(Layout("/srv/pushrod"), {"*", 2222}, "deploy", {500, 20, has_penalties});
  };
  EXPECT_EQ(text(false).find("PerSourcePenalties"), std::string::npos);
  EXPECT_NE(text(true).find(
                "\nMaxStartups 500\nPerSourceMaxStartups 20\nPerSourceNetBlockSize 32:64\nPerSourcePenalties no\n"),
            std::string::npos);
}

}  // namespace
}  // namespace pushrod
