// What a sandbox's resolver reads.
#include "sandbox/hosts.hh"

#include <gtest/gtest.h>

namespace pushrod {
namespace {

constexpr const char* kOurs =
    "127.0.0.1 localhost\n::1 localhost ip6-localhost ip6-loopback\n127.0.0.1 blog\n::1 blog\n";

TEST(Hosts, KnowLocalhostAndTheSandboxItself) {
  EXPECT_EQ(render_hosts("", "blog"), kOurs);
  EXPECT_EQ(render_hosts("", ""), "127.0.0.1 localhost\n::1 localhost ip6-localhost ip6-loopback\n");
}

TEST(Hosts, KeepTheOtherNamesOfTheHost) {
  const std::string host =
      "# the machine\n127.0.0.1\tlocalhost\n127.0.1.1  server.example server\n10.0.0.5 db blog # the database\n"
      "::1 localhost ip6\n10.0.0.6 blog\n\n";
  EXPECT_EQ(render_hosts(host, "blog"), std::string(kOurs) + "127.0.1.1 server.example server\n10.0.0.5 db\n::1 ip6\n");
}

TEST(GaiConf, PutsTheSixthVersionOfLocalhostLast) {
  const std::string table =
      "precedence ::/0 40\nprecedence 2002::/16 30\nprecedence ::/96 20\nprecedence ::ffff:0:0/96 10\n";
  EXPECT_EQ(render_gai_conf("# nothing\n"), table + "precedence ::1/128 0\n");
  EXPECT_EQ(render_gai_conf("label ::1/128 0\n"), "label ::1/128 0\n" + table + "precedence ::1/128 0\n");
}

TEST(GaiConf, KeepsTheTableOfTheHost) {
  EXPECT_EQ(render_gai_conf("precedence  ::1/128  50 # first\nprecedence ::ffff:0:0/96 100\n"),
            "precedence ::ffff:0:0/96 100\nprecedence ::1/128 0\n");
}

TEST(Nsswitch, AsksTheFileFirst) {
  EXPECT_EQ(render_nsswitch("passwd: files\nhosts:   files dns\n"), "passwd: files\nhosts:   files dns\n");
  EXPECT_EQ(render_nsswitch("hosts: resolve [!UNAVAIL=return] files [SUCCESS=return] dns\n"),
            "hosts: files resolve [!UNAVAIL=return] dns\n");
  EXPECT_EQ(render_nsswitch("hosts: dns\n"), "hosts: files dns\n");
  EXPECT_EQ(render_nsswitch(""), "hosts: files dns\n");
}

}  // namespace
}  // namespace pushrod
