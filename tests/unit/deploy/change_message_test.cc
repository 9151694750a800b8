// A change arrives in another process as it was sent.
#include "deploy/change_message.hh"

#include <nlohmann/json.hpp>

#include "world.hh"

namespace pushrod {
namespace {

using nlohmann::json;

class ChangeMessage : public DeployTest {
 protected:
  ChangeMessage() { blog_.emplace(add_app("blog")); }
  // As bytes, there and back.
  Change sent(const Change& change) {
    const std::vector<std::uint8_t> bytes = json::to_cbor(to_message(change));
    return change_from_message(store(), json::from_cbor(bytes));
  }
  std::optional<App> blog_;
};

TEST_F(ChangeMessage, HoldsWhatIsAskedFor) {
  auto change = restart();
  change.commit = CommitId::parse(std::string(40, 'a'));
  change.previous = CommitId::parse(std::string(40, 'b'));
  change.detail = "\xc3\xa9t\xc3\xa9";
  change.rebuild = true;
  change.no_cache = true;
  change.only = ProcessType::parse("worker");
  change.counts[ProcessType::parse("web")] = 3;
  change.releases[blog_->id] = 7;
  change.new_name = AppName::parse("journal");
  change.watched = 12;
  const auto got = sent(change);
  EXPECT_EQ(got.kind, DeploymentKind::Restart);
  EXPECT_EQ(got.repo, repo_);
  EXPECT_EQ(got.branch, branch_);
  ASSERT_EQ(got.apps.size(), 1U);
  EXPECT_EQ(got.apps.front().name, blog_->name);
  EXPECT_EQ(got.commit, change.commit);
  EXPECT_EQ(got.previous, change.previous);
  EXPECT_EQ(got.author, "ann");
  EXPECT_EQ(got.detail, change.detail);
  EXPECT_TRUE(got.rebuild && got.no_cache);
  EXPECT_EQ(got.only, change.only);
  EXPECT_EQ(got.counts, change.counts);
  EXPECT_EQ(got.releases, change.releases);
  EXPECT_EQ(got.new_name, change.new_name);
  EXPECT_EQ(got.watched, 12);
}

TEST_F(ChangeMessage, HoldsNothingThatIsNotAskedFor) {
  const auto got = sent(removal());
  EXPECT_FALSE(got.commit || got.previous || got.only || got.new_name || got.source || got.watched || got.rebuild);
  EXPECT_TRUE(got.settings.empty() && got.counts.empty() && got.releases.empty());
}

TEST_F(ChangeMessage, HoldsSealedSettingsOfAnyBytes) {
  auto change = restart();
  const auto name = SettingName::parse("TOKEN");
  change.settings[name] = AppSetting{std::string("\0\xff\x80 sealed", 10), true, 0, SettingScope::Build};
  change.settings[SettingName::parse("OLD")] = std::nullopt;
  EXPECT_EQ(sent(change).settings, change.settings);
}

TEST_F(ChangeMessage, HoldsANewSource) {
  auto change = restart();
  change.source = Source{repo_, BranchName::parse("next"), "services/api", "deploy/web.toml", "services", false};
  EXPECT_EQ(sent(change).source, change.source);
  change.source->build_root.reset();
  EXPECT_EQ(sent(change).source, change.source);
}

TEST_F(ChangeMessage, IsRefusedWhenItsAppIsGone) {
  auto change = restart();
  change.apps.front().id += 1;
  EXPECT_THROW(sent(change), UserError);
}

TEST_F(ChangeMessage, IsRefusedWhenItIsNotComplete) {
  const auto whole = to_message(restart());
  for (const auto& [key, value] : whole.items()) {
    auto message = whole;
    message.erase(key);
    EXPECT_THROW(change_from_message(store(), message), Error) << key;
  }
  EXPECT_THROW(change_from_message(store(), json::array()), Error);
}

}  // namespace
}  // namespace pushrod
