// Which repositories a lock file names.
#include "build/git_access.hh"

#include <gmock/gmock.h>

namespace pushrod {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(GitAccess, AddressesOverSshAreFoundInLockFiles) {
  EXPECT_THAT(ssh_addresses_in(R"("resolved": "git+ssh://git@host.example:22/team/x.git#0a1b", "y": 1)"),
              ElementsAre("ssh://git@host.example:22/team/x.git"));
  EXPECT_THAT(ssh_addresses_in("greet @ git+ssh://git@host.example/team/x.git@v1.2#egg=greet\n"),
              ElementsAre("ssh://git@host.example/team/x.git"));
  EXPECT_THAT(ssh_addresses_in("GIT\n  remote: git@host.example:team/x.git\n  revision: 0a1b\n"),
              ElementsAre("git@host.example:team/x.git"));
  EXPECT_THAT(ssh_addresses_in("see https://host.example/git@x and mail git@host.example.\n"), IsEmpty());
}

TEST(GitAccess, PackagesThatAreCalledGitAreNoAddresses) {
  for (const auto* text : {"simple-git@^1.85.0:\n  version \"1.1\"\n", "git@^0.1.5:\n", "git@0.1.5:\n",
                           "\"git@npm:^3.0.0\":\n", "simple-git@host.example:x\n"}) {
    EXPECT_THAT(ssh_addresses_in(text), IsEmpty()) << text;
  }
}

TEST(GitAccess, ProgramsOfYarnAreNotSearchedForAddresses) {
  const auto text = "git@host.example:team/x.git";
  EXPECT_THAT(ssh_addresses_in({{".yarn/releases/yarn-4.9.2.cjs", text}, {"web/.yarn/cache/a.zip", text}}), IsEmpty());
  EXPECT_EQ(ssh_addresses_in({{"yarn.lock", text}, {".yarn/patches/a.patch", ""}}).at(text), "yarn.lock");
}

TEST(GitAccess, AnAddressOverSshIsOneWithAUser) {
  EXPECT_TRUE(is_ssh_address("ssh://host.example/x"));
  EXPECT_TRUE(is_ssh_address("git@host.example:team/x"));
  for (const auto* other : {"https://host.example/x", "../x", "/srv/x", "npm ci", "Ruby, Gemfile.lock: x@y"}) {
    EXPECT_FALSE(is_ssh_address(other)) << other;
  }
}

}  // namespace
}  // namespace pushrod
