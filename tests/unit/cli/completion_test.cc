// What may follow an unfinished command line.
#include "cli/completion.hh"

#include <gmock/gmock.h>

#include "base/text.hh"
#include "cli/verbs.hh"
#include "in_root.hh"

namespace pushrod {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::IsSupersetOf;
using testing::Not;
using testing::StartsWith;

class Completions : public InRoot {
 protected:
  Completions() {
    add_app_verbs(grammar_);
    add_app_list_verbs(grammar_);
    add_app_info_verbs(grammar_);
    add_backup_target_verbs(grammar_);
    add_key_verbs(grammar_);
    add_logs_verb(grammar_);
    add_ps_verb(grammar_);
    add_completion_verb(grammar_);
    grammar_.top().option("--root", ignored_, "the root directory");
    grammar_.hidden("serve", [] { return 0; });
  }
  // The words that are offered, without their explanations.
  std::vector<std::string> offered(std::vector<std::string> words) {
    words.insert(words.begin(), {"--root", layout_.root().string()});
    testing::internal::CaptureStdout();
    EXPECT_EQ(complete(grammar_, words), kExitOk);
    std::vector<std::string> found;
    for (const auto& line : lines_of(testing::internal::GetCapturedStdout())) {
      found.push_back(line.substr(0, line.find('\t')));
    }
    return found;
  }
  Grammar grammar_;
  std::string ignored_;
};

TEST_F(Completions, OffersVerbsAndThoseOfAGroup) {
  EXPECT_THAT(offered({""}), IsSupersetOf({"app", "key", "logs", "ps", "completion"}));
  EXPECT_THAT(offered({""}), Not(Contains("serve")));
  EXPECT_THAT(offered({"p"}), ElementsAre("ps"));
  EXPECT_THAT(offered({"app", ""}), ElementsAre("create", "rename", "destroy", "list", "info", "check"));
  EXPECT_THAT(offered({"backup", ""}), ElementsAre("target", "schedule"));
  EXPECT_THAT(offered({"backup", "target", ""}), ElementsAre("add", "list", "remove"));
  EXPECT_THAT(offered({"nothing", ""}), IsEmpty());
}

TEST_F(Completions, OffersOptionsOnceTheirDashIsThere) {
  EXPECT_THAT(offered({"logs", "blog", "--"}), IsSupersetOf({"--follow", "--since", "--json", "--help"}));
  EXPECT_THAT(offered({"logs", "--s"}), ElementsAre("--since"));
  EXPECT_THAT(offered({"logs", "--", "--s"}), IsEmpty());
}

TEST_F(Completions, OffersNamesOfApps) {
  add_app("blog", "site");
  add_app("shop", "site");
  EXPECT_THAT(offered({"app", "info", ""}), ElementsAre("blog", "shop"));
  EXPECT_THAT(offered({"logs", "-f", "s"}), ElementsAre("shop"));
  EXPECT_THAT(offered({"logs", "-n", "10", "--since", "1h", "b"}), ElementsAre("blog"));
  EXPECT_THAT(offered({"logs", "blog", ""}), IsEmpty()) << "it takes one app";
  EXPECT_THAT(offered({"key", "add", "bob", "--app", ""}), ElementsAre("blog", "shop"));
  EXPECT_THAT(offered({"key", "add", "bob", "--app", "blog,s"}), ElementsAre("blog,shop"));
  EXPECT_THAT(offered({"key", "add", "bob", "--app=s"}), ElementsAre("--app=shop"));
}

TEST_F(Completions, OffersNamesOfAppsAndServicesForBackups) {
  add_app("blog", "site");
  Store(layout_.database())
      .add_service({.name = ServiceName::parse("main"), .type = "redis", .version = "7", .memory = 1});
  EXPECT_THAT(offered({"backup", "schedule", ""}), ElementsAre("blog", "main"));
  EXPECT_THAT(offered({"backup", "schedule", "--"}), Contains("--service"));
}

TEST_F(Completions, OffersNamesOfKeysShellsAndFiles) {
  key("anna@laptop");
  EXPECT_THAT(offered({"key", "remove", ""}), ElementsAre("anna@laptop"));
  EXPECT_THAT(offered({"completion", ""}), ElementsAre("bash", "zsh", "fish"));
  EXPECT_THAT(offered({"key", "add", "bob", "x"}), ElementsAre(":files"));
}

TEST_F(Completions, ChangesNothingAndSaysNothingWhereThereIsNoRoot) {
  const auto nowhere = layout_.root() / "nowhere";
  testing::internal::CaptureStdout();
  EXPECT_EQ(complete(grammar_, {"--root", nowhere.string(), "app", "info", ""}), kExitOk);
  EXPECT_EQ(testing::internal::GetCapturedStdout(), "");
  EXPECT_FALSE(fs::exists(nowhere));
}

TEST_F(Completions, SaysNothingWhereItMayNotLook) {
  const auto closed = layout_.root() / "closed";
  make_directory(closed, 0);
  testing::internal::CaptureStdout();
  EXPECT_EQ(complete(grammar_, {"--root", (closed / "root").string(), "app", "info", ""}), kExitOk);
  EXPECT_EQ(testing::internal::GetCapturedStdout(), "");
}

TEST_F(Completions, EveryShellHasItsScript) {
  EXPECT_THAT(printed({"completion", "bash"}), StartsWith("# Completion of pushrod's command line for bash."));
  EXPECT_THAT(printed({"completion", "zsh"}), StartsWith("#compdef pushrod\n"));
  EXPECT_THAT(printed({"completion", "fish"}), StartsWith("# Completion of pushrod's command line for fish."));
  EXPECT_EQ(misspelt({"completion", "csh"}), "there is no completion for \"csh\" | known: bash, zsh, fish");
}

}  // namespace
}  // namespace pushrod
