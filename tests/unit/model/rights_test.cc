// Which role may do what, and which key with which app.
#include "model/rights.hh"

#include <gtest/gtest.h>

namespace pushrod {
namespace {

const auto kMine = AppName::parse("mine");
const auto kOther = AppName::parse("other");
constexpr Role kRoles[] = {Role::View, Role::Deploy, Role::Admin};
constexpr Right kRights[] = {Right::See, Right::ReadCode, Right::Deploy, Right::Administer};

Key key(Role role, bool all_apps) {
  return {.name = KeyName::parse("bob"),
          .public_key = {},
          .fingerprint = {},
          .role = role,
          .all_apps = all_apps,
          .apps = all_apps ? std::vector<AppName>{} : std::vector{kMine},
          .created = {}};
}

TEST(Rights, TheTable) {
  // As at the top of rights.hh: columns View, Deploy, Admin.
  constexpr bool kTable[std::size(kRights)][std::size(kRoles)] = {
      {true, true, true},    // See
      {false, true, true},   // ReadCode
      {false, true, true},   // Deploy
      {false, false, true},  // Administer
  };
  for (std::size_t right = 0; right < std::size(kRights); ++right) {
    for (std::size_t role = 0; role < std::size(kRoles); ++role) {
      EXPECT_EQ(may(kRoles[role], kRights[right]), kTable[right][role]) << right << " " << role;
    }
  }
}

TEST(Rights, AKeyHasItsRoleForItsAppsAndNoneForOthers) {
  for (const Role role : kRoles) {
    for (const Right right : kRights) {
      EXPECT_EQ(may(key(role, false), kMine, right), may(role, right));
      EXPECT_FALSE(may(key(role, false), kOther, right));
      EXPECT_EQ(may(key(role, true), kOther, right), may(role, right));
    }
  }
}

TEST(Rights, OnlyAnAdminOfAllAppsIsOneOfTheMachine) {
  for (const Role role : kRoles) {
    EXPECT_FALSE(key(role, false).is_admin());
    EXPECT_EQ(key(role, true).is_admin(), role == Role::Admin);
  }
}

TEST(Rights, ARefusalSaysWhyAndWhatWouldHelp) {
  EXPECT_EQ(refusal_of(key(Role::View, false), kMine),
            "key bob has the role view for app mine, which does not allow that");
  EXPECT_EQ(remedy_for(key(Role::View, false), Right::Deploy),
            "an administrator of this machine can change it: key set bob --role deploy");
  EXPECT_EQ(role_for(Right::Administer), Role::Admin);
}

}  // namespace
}  // namespace pushrod
