// SSH_ORIGINAL_COMMAND: git's two services, Pushrod's verbs, and everything else refused.
#include "ssh/original_command.hh"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <random>

#include "base/text.hh"
#include "fixtures.hh"

namespace pushrod {
namespace {

// "push blog", "fetch blog", "verb [app] [list]", or "refused: …".
std::string meaning_of(const std::string& text) {
  try {
    const auto request = parse_original_command(text);
    if (const auto* git = std::get_if<GitRequest>(&request)) return (git->push ? "push " : "fetch ") + git->repo;
    std::string meaning = "verb";
    for (const std::string& word : std::get<VerbRequest>(request).words) meaning += " [" + word + "]";
    return meaning;
  } catch (const UserError& error) {
    return "refused: " + error.message();
  }
}

TEST(OriginalCommand, GitsServices) {
  EXPECT_EQ(meaning_of("git-receive-pack '/blog'"), "push blog");
  EXPECT_EQ(meaning_of("git-receive-pack 'blog'"), "push blog");
  EXPECT_EQ(meaning_of("git-upload-pack '/blog.git'"), "fetch blog");
  EXPECT_EQ(meaning_of("git-upload-pack blog"), "fetch blog");
  EXPECT_EQ(meaning_of("git receive-pack '/blog'"), "push blog");
  EXPECT_EQ(meaning_of("git upload-pack \"blog\""), "fetch blog");
}

TEST(OriginalCommand, ARepoLosesOneSlashAndOneSuffixOnly) {
  EXPECT_EQ(meaning_of("git-receive-pack '//blog.git.git'"), "push /blog.git");
  EXPECT_EQ(meaning_of("git-receive-pack '~/blog/'"), "push ~/blog/");
  EXPECT_EQ(meaning_of("git-receive-pack '/a/../b'"), "push a/../b");
}

TEST(OriginalCommand, GitsOwnQuotingIsUndone) {
  EXPECT_EQ(meaning_of(R"(git-receive-pack '/it'\''s')"), "push it's");
  EXPECT_EQ(meaning_of(R"(git-receive-pack '/a'\!'b')"), "push a!b");
  EXPECT_EQ(meaning_of("git-receive-pack '/$(id);`id`'"), "push $(id);`id`");
}

TEST(OriginalCommand, VerbsAreSplitIntoWords) {
  EXPECT_EQ(meaning_of("app list"), "verb [app] [list]");
  EXPECT_EQ(meaning_of("  app   list  "), "verb [app] [list]");
  EXPECT_EQ(meaning_of("key add 'a b' \"c \\\" \\\\ d\" e\\ f ''"), "verb [key] [add] [a b] [c \" \\ d] [e f] []");
  EXPECT_EQ(meaning_of("app info --json blog"), "verb [app] [info] [--json] [blog]");
}

TEST(OriginalCommand, NothingIsExpanded) {
  EXPECT_EQ(meaning_of("app info $HOME *; id"), "verb [app] [info] [$HOME] [*;] [id]");
  EXPECT_EQ(meaning_of("app info \"$(id)\" `id` ~ {a,b} #x"), "verb [app] [info] [$(id)] [`id`] [~] [{a,b}] [#x]");
}

TEST(OriginalCommand, MalformedTextIsRefused) {
  const std::string quote = "refused: the command has a quote that is not closed: ";
  EXPECT_EQ(meaning_of("git-receive-pack 'blog"), quote + R"("git-receive-pack 'blog")");
  EXPECT_EQ(meaning_of("app \"x"), quote + R"("app \"x")");
  EXPECT_EQ(meaning_of("app \"x\\\""), quote + R"("app \"x\\\"")");
  EXPECT_EQ(meaning_of("app x\\"), "refused: the command ends in a backslash: \"app x\\\\\"");
  EXPECT_EQ(meaning_of(R"(app "\$x")"),
            R"(refused: the command has a backslash within double quotes before something other than " or \: )"
            R"("app \"\\$x\"")");
  EXPECT_EQ(meaning_of("app\nlist"), R"(refused: the command contains a control character: "app\nlist")");
  EXPECT_EQ(meaning_of("app list\n"), R"(refused: the command contains a control character: "app list\n")");
  EXPECT_EQ(meaning_of(std::string("app\0list", 8)),
            R"(refused: the command contains a control character: "app\x00list")");
  EXPECT_EQ(meaning_of("app \x1b[2J"), R"(refused: the command contains a control character: "app \x1b[2J")");
  EXPECT_EQ(meaning_of("app \xff"), R"(refused: the command is not valid UTF-8: "app \xff")");
}

TEST(OriginalCommand, GitTakesARepoAndNothingElse) {
  const std::string nothing_else = "refused: git's service takes the name of a repo and nothing else: ";
  for (const std::string text :
       {"git-receive-pack 'a' --help", "git-receive-pack --help", "git-receive-pack '--help'", "git-receive-pack",
        "git-upload-pack --strict '/a'", "git-upload-pack -- a", "git upload-pack a b", "git upload-pack"}) {
    EXPECT_EQ(meaning_of(text), nothing_else + quoted(text));
  }
  const std::string no_repo = "refused: the address names no repo: ";
  EXPECT_EQ(meaning_of("git-receive-pack ''"), no_repo + "\"\"");
  EXPECT_EQ(meaning_of("git-receive-pack '/'"), no_repo + "\"/\"");
  EXPECT_EQ(meaning_of("git-upload-pack '/.git'"), no_repo + "\"/.git\"");
}

TEST(OriginalCommand, OtherProgramsAreRefusedWithWhatIsPossible) {
  const auto expect = [](const std::string& text, const std::string& problem) {
    EXPECT_EQ(refusal([&] { parse_original_command(text); }),
              problem +
                  " | possible are git push, git fetch and git clone, and Pushrod's own commands, such as: app "
                  "list");
  };
  expect("", "there is no login shell here: no command was given");
  expect("   ", "there is no login shell here: no command was given");
  expect("sh", "there is no shell here: \"sh\"");
  expect("bash -c 'id'", "there is no shell here: \"bash -c 'id'\"");
  expect("'b'ash", "there is no shell here: \"'b'ash\"");
  expect("scp -t /tmp", "files are not copied over SSH here: \"scp -t /tmp\"");
  expect("rsync --server . x", "files are not copied over SSH here: \"rsync --server . x\"");
  expect("internal-sftp", "files are not copied over SSH here: \"internal-sftp\"");
  expect("git-upload-archive '/blog'", "git's only services here are push and fetch: \"git-upload-archive '/blog'\"");
  expect("git", "git's only services here are push and fetch: \"git\"");
  expect("git --exec-path=/tmp receive-pack x",
         "git's only services here are push and fetch: \"git --exec-path=/tmp receive-pack x\"");
  expect("git-lfs-authenticate blog download",
         "git's only services here are push and fetch: \"git-lfs-authenticate blog download\"");
  expect("/usr/lib/openssh/sftp-server", "no program can be run here: \"/usr/lib/openssh/sftp-server\"");
  expect("LD_PRELOAD=x app", "no program can be run here: \"LD_PRELOAD=x app\"");
  expect("--root /tmp app list", "a command does not begin with \"-\": \"--root /tmp app list\"");
  expect("'' app", "the command's first word is empty: \"'' app\"");
}

TEST(OriginalCommand, LongTextsAreRefusedUnread) {
  EXPECT_EQ(meaning_of(std::string(1'000'000, '\'')), "refused: the command is 1.0 MB long; at most 65.5 kB are read");
  EXPECT_EQ(meaning_of("git-receive-pack '" + std::string(1'000'000, 'a') + "'"),
            "refused: the command is 1.0 MB long; at most 65.5 kB are read");
  std::string words;
  for (int i = 0; i < 257; ++i) words += "a ";
  EXPECT_TRUE(meaning_of(words).starts_with("refused: the command has more than 256 words: "));
  EXPECT_TRUE(meaning_of(words.substr(2)).starts_with("verb "));
}

// Random texts: nothing but UserError is ever thrown, and no refusal carries a control character.
TEST(OriginalCommand, RandomTextsAreUnderstoodOrRefused) {
  const std::vector<std::string> pieces = {
      "git-receive-pack", "git-upload-pack", "git", " ",  "'",  "\"",   "\\",   "/", ".git", "blog", "app", "list",
      "--help",           "$(id)",           ";",   "\n", "sh", "\xc3", "\x1b", "=", "-"};
  std::mt19937 random(1);
  const auto below = [&](std::size_t limit) {
    return std::uniform_int_distribution<std::size_t>(0, limit - 1)(random);
  };
  std::size_t understood = 0;
  for (int round = 0; round < 100'000; ++round) {
    std::string text;
    for (std::size_t count = below(12); count > 0; --count) {
      text += below(10) == 0 ? std::string(1, static_cast<char>(below(256))) : pieces[below(pieces.size())];
    }
    const std::string meaning = meaning_of(text);
    ASSERT_EQ(meaning.find_first_of("\n\r\x1b\0"), std::string::npos) << quoted(text);
    if (meaning.starts_with("push ") || meaning.starts_with("fetch ")) {
      ASSERT_TRUE(text.find("git") != std::string::npos);
      ASSERT_FALSE(meaning.ends_with(' '));
    }
    understood += meaning.starts_with("refused: ") ? 0 : 1;
  }
  EXPECT_GT(understood, 1'000U);
}

// A word that the shell's quoting protects comes back as it was.
TEST(OriginalCommand, QuotedWordsComeBackAsTheyWere) {
  const std::string alphabet = "ab '\"\\$`!*;&|<>()~#-=/.";
  std::mt19937 random(1);
  const auto below = [&](std::size_t limit) {
    return std::uniform_int_distribution<std::size_t>(0, limit - 1)(random);
  };
  for (int round = 0; round < 20'000; ++round) {
    std::string word;
    for (std::size_t count = below(8); count > 0; --count) word += alphabet[below(alphabet.size())];
    ASSERT_EQ(meaning_of("app " + shell_quoted(word)), fmt::format("verb [app] [{}]", word));
  }
}

}  // namespace
}  // namespace pushrod
