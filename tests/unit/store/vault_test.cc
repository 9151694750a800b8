// The vault: what is sealed opens with its key, for its app and name, and not otherwise.
#include "store/vault.hh"

#include <gmock/gmock.h>
#include <sys/stat.h>

#include "fixture.hh"

namespace pushrod {
namespace {

using testing::HasSubstr;
using testing::Not;

class Vaults : public StoreTest {
 protected:
  std::filesystem::path key() const { return directory_ / "settings.key"; }
  SettingName name_ = SettingName::parse("TOKEN");
};

TEST_F(Vaults, OpenWhatTheySealed) {
  const Vault vault(key());
  for (const std::string& text :
       {std::string(), std::string("geheim"), std::string(100'000, 'x'), std::string("a\0b", 3)}) {
    EXPECT_EQ(vault.open(1, name_, vault.seal(1, name_, Secret(text))).reveal(), text);
  }
}

TEST_F(Vaults, ShowNothingOfAValue) {
  const Vault vault(key());
  const auto sealed = vault.seal(1, name_, Secret("geheim"));
  EXPECT_THAT(sealed, Not(HasSubstr("geheim")));
  EXPECT_NE(sealed, vault.seal(1, name_, Secret("geheim")));
}

TEST_F(Vaults, BindAValueToItsAppAndName) {
  const Vault vault(key());
  const auto sealed = vault.seal(1, name_, Secret("geheim"));
  EXPECT_THROW(vault.open(2, name_, sealed), UserError);
  EXPECT_THROW(vault.open(1, SettingName::parse("OTHER"), sealed), UserError);
}

TEST_F(Vaults, BindACommandToItsApp) {
  const Vault vault(key());
  const auto sealed = vault.seal_command(1, "geheim");
  EXPECT_EQ(vault.open_command(1, sealed).reveal(), "geheim");
  EXPECT_THROW(vault.open_command(2, sealed), UserError);
  EXPECT_THROW(vault.open(1, name_, sealed), UserError);
}

TEST_F(Vaults, RefuseWhatWasChangedOrCut) {
  const Vault vault(key());
  const auto sealed = vault.seal(1, name_, Secret("geheim"));
  for (std::size_t at = 0; at < sealed.size(); ++at) {
    auto changed = sealed;
    changed[at] ^= 1;
    EXPECT_THROW(vault.open(1, name_, changed), UserError) << at;
    EXPECT_THROW(vault.open(1, name_, sealed.substr(0, at)), UserError) << at;
  }
}

TEST_F(Vaults, HaveAKeyOfTheirOwnThatStays) {
  const auto sealed = Vault(key()).seal(1, name_, Secret("geheim"));
  EXPECT_EQ(Vault(key()).open(1, name_, sealed).reveal(), "geheim");
  struct stat status = {};
  ASSERT_EQ(stat(key().c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0600U);
  EXPECT_THROW(Vault(directory_ / "another.key").open(1, name_, sealed), UserError);
  EXPECT_EQ(list_directory(directory_), (std::vector<std::string>{"another.key", "settings.key"}));
}

TEST_F(Vaults, RefuseAKeyThatIsNone) {
  write_file(key(), "short");
  EXPECT_THROW(Vault{key()}, UserError);
}

TEST_F(Vaults, MadeByManyAtTheSameTimeHaveOneKey) {
  for (int round = 0; round < 5; ++round) {
    remove_file(key());
    std::vector<pid_t> children;
    for (int child = 0; child < 8; ++child) {
      children.push_back(fork());
      if (children.back() != 0) continue;
      const Vault vault(key());
      write_file(directory_ / fmt::format("sealed.{}", child), vault.seal(1, name_, Secret("geheim")), 0600, false);
      _exit(0);
    }
    for (const pid_t child : children) waitpid(child, nullptr, 0);
    const Vault vault(key());
    for (int child = 0; child < 8; ++child) {
      const auto sealed = read_file(directory_ / fmt::format("sealed.{}", child));
      ASSERT_TRUE(sealed.has_value());
      EXPECT_EQ(vault.open(1, name_, *sealed).reveal(), "geheim");
    }
  }
}

}  // namespace
}  // namespace pushrod
