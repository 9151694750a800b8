// Names: what is refused, that nothing is repaired, and that git agrees about branches.
#include "model/names.hh"

#include <gtest/gtest.h>

#include <vector>

#include "base/error.hh"
#include "base/text.hh"
#include "os/command.hh"

namespace pushrod {
namespace {

using std::string_literals::operator""s;

template <class Name>
bool accepts(const std::string& text) {
  try {
    return Name::parse(text).str() == text;
  } catch (const UserError&) {
    return false;
  }
}

template <class Name>
std::string refusal(const std::string& text) {
  try {
    Name::parse(text);
  } catch (const UserError& error) {
    return error.what();
  }
  return "accepted";
}

// What no name of any kind may be.
const std::vector<std::string> kHostile{"",          "-x",     "--upload-pack=touch /tmp/x",
                                        "..",        "a/../b", "a\nb",
                                        "a\n",       "\n",     "a\0b"s,
                                        "a\0"s,      "\0"s,    std::string(300, 'a'),
                                        "a b",       " a",     "a\tb",
                                        "a\x1b[31m", "a\x7f",  "a\xff",
                                        "a\xc0\x80", "a\\b",   "a:b",
                                        "a*"};

// What may be a branch, but nothing that becomes a host, a directory or a service.
const std::vector<std::string> kOdd{"a;id",
                                    "$(id)",
                                    "`id`",
                                    "a'b",
                                    "a\"b",
                                    "a|b",
                                    "a&b",
                                    "a/b",
                                    "bl\xd0\xbeg",      // Cyrillic o
                                    "\xd0\xb0pp",       // Cyrillic a
                                    "\xef\xbd\x81pp",   // full-width a
                                    "app\xe2\x80\x8b",  // zero-width space
                                    "app\xe2\x80\xae",  // right-to-left override
                                    "app\xcc\x81"};     // combining accent

template <class Name>
void expect_refused(const std::vector<std::string>& texts) {
  for (const std::string& text : texts) {
    const std::string message = refusal<Name>(text);
    EXPECT_NE(message, "accepted") << quoted(text);
    EXPECT_EQ(message.find_first_of("\n\r\x1b\x7f\0"s), std::string::npos) << message;
    EXPECT_LT(message.size(), 400u);
  }
}

TEST(Names, RefuseWhatIsHostileInOneLine) {
  expect_refused<AppName>(kHostile);
  expect_refused<RepoName>(kHostile);
  expect_refused<ProcessType>(kHostile);
  expect_refused<KeyName>(kHostile);
  expect_refused<BranchName>(kHostile);
  expect_refused<CommitId>(kHostile);
}

TEST(Names, OfAppsAndTheLikeRefuseWhatOnlyABranchMayBe) {
  expect_refused<AppName>(kOdd);
  expect_refused<RepoName>(kOdd);
  expect_refused<ProcessType>(kOdd);
  expect_refused<KeyName>(kOdd);
  expect_refused<CommitId>(kOdd);
}

TEST(Names, OfAppsAndReposAreHostNameLabels) {
  for (const std::string text : {"a", "blog", "my-shop2", "a-b-c", "a1"}) {
    EXPECT_TRUE(accepts<AppName>(text)) << text;
    EXPECT_TRUE(accepts<RepoName>(text)) << text;
  }
  EXPECT_TRUE(accepts<AppName>(std::string(40, 'a')));
  for (const std::string text : {"Blog", "1a", "a-", "a_b", "a.b", "blog.git", "-"}) {
    EXPECT_FALSE(accepts<AppName>(text)) << text;
    EXPECT_FALSE(accepts<RepoName>(text)) << text;
  }
  EXPECT_FALSE(accepts<AppName>(std::string(41, 'a')));
}

TEST(Names, OfProcessTypesAndKeysHaveTheirOwnAlphabets) {
  EXPECT_TRUE(accepts<ProcessType>("web"));
  EXPECT_TRUE(accepts<ProcessType>("mail_queue-2"));
  EXPECT_TRUE(accepts<ProcessType>(std::string(30, 'w')));
  EXPECT_FALSE(accepts<ProcessType>(std::string(31, 'w')));
  EXPECT_FALSE(accepts<ProcessType>("web.2"));
  EXPECT_FALSE(accepts<ProcessType>("_web"));
  EXPECT_TRUE(accepts<KeyName>("ann@laptop.example.org"));
  EXPECT_TRUE(accepts<KeyName>("9front_Key"));
  EXPECT_TRUE(accepts<KeyName>(std::string(60, 'k')));
  EXPECT_FALSE(accepts<KeyName>(std::string(61, 'k')));
  EXPECT_FALSE(accepts<KeyName>(".hidden"));
  EXPECT_FALSE(accepts<KeyName>("@"));
}

TEST(Names, SayTheKindTheReasonAndTheRule) {
  EXPECT_EQ(refusal<AppName>("My-app"),
            "app name \"My-app\" contains \"M\": use 1 to 40 characters of a-z, 0-9 and '-', beginning with a letter "
            "and not ending in '-'");
  EXPECT_EQ(refusal<RepoName>("bl\xd0\xbeg")
                .find("repo name \"bl\xd0\xbeg\" contains something other than ASCII at "
                      "byte 3: use"),
            0u);
  EXPECT_EQ(refusal<ProcessType>("2web").find("process type \"2web\" begins with \"2\": use"), 0u);
  EXPECT_EQ(refusal<AppName>("web-").find("app name \"web-\" ends in \"-\": use"), 0u);
}

TEST(Names, OfCommitsAreFullAndLowerCase) {
  const std::string full = "0123456789abcdef0123456789abcdef01234567";
  EXPECT_TRUE(accepts<CommitId>(full));
  EXPECT_EQ(abbreviated(CommitId::parse(full)), "0123456789");
  EXPECT_FALSE(accepts<CommitId>(full.substr(1)));
  EXPECT_FALSE(accepts<CommitId>(full + "0"));
  EXPECT_FALSE(accepts<CommitId>("0123456789ABCDEF0123456789abcdef01234567"));
}

TEST(BranchNames, ReachToolsVerbatimEvenIfOdd) {
  for (const std::string& text : kOdd) {
    ASSERT_TRUE(accepts<BranchName>(text)) << quoted(text);
    EXPECT_EQ(ref_of(BranchName::parse(text)), "refs/heads/" + text);
    EXPECT_EQ(branch_of("refs/heads/" + text), BranchName::parse(text));
  }
  EXPECT_TRUE(accepts<BranchName>(std::string(200, 'b')));
  EXPECT_FALSE(accepts<BranchName>(std::string(201, 'b')));
  EXPECT_FALSE(accepts<BranchName>(std::string(240, 'b')));
}

TEST(BranchNames, ARefThatIsNotABranchNamesNone) {
  for (const std::string ref : {"refs/tags/main", "refs/heads", "heads/main", "main", "HEAD", ""}) {
    EXPECT_EQ(branch_of(ref), std::nullopt) << ref;
  }
  EXPECT_THROW(branch_of("refs/heads/"), UserError);
  EXPECT_THROW(branch_of("refs/heads/HEAD"), UserError);
}

// Git's verdict on a branch name.
bool git_accepts(const std::string& branch) {
  Command command;
  command.argv = {"git", "check-ref-format", "--branch", branch};
  command.directory = "/";
  return run(command).ok();
}

TEST(BranchNames, AreWhatGitAllowsLessWhatWeForbid) {
  const std::vector<std::string> fragments{"a",  ".", "/",  "@",    "{",    "@{",       "~",   "^",    ":",
                                           "\\", " ", "*",  "?",    "[",    ".lock",    "-",   "HEAD", ";",
                                           "'",  "$", "\t", "\x7f", "\x01", "\xc3\xa9", "\xff"};
  std::vector<std::string> candidates;
  for (const std::string& first : fragments) {
    candidates.push_back(first);
    for (const std::string& second : fragments) candidates.push_back(first + second);
  }
  for (const std::string& fragment : fragments) {
    candidates.push_back("a" + fragment + "b");
    candidates.push_back("a/" + fragment + "/b");
    candidates.push_back("a" + fragment + "/b");
  }
  for (const std::string odd : {"refs/heads/main",
                                "a.lock/b",
                                "a.lock.b",
                                "feature/.x",
                                "x/HEAD",
                                "HEAD/x",
                                "-/a",
                                "a/-b",
                                "a..b",
                                "a./b",
                                "a.b",
                                "a@",
                                "@a",
                                "a/@",
                                "@/a",
                                "a{b}",
                                "a@{b",
                                "a@b{",
                                "]",
                                "a]b",
                                "a//b",
                                "FETCH_HEAD",
                                "...",
                                "a.LOCK"}) {
    candidates.push_back(odd);
  }
  for (const std::string& name : candidates) {
    const bool forbidden = name == "@" || name.starts_with('-') || !is_valid_utf8(name);
    const bool ours = accepts<BranchName>(name);
    if (forbidden) {
      EXPECT_FALSE(ours) << quoted(name);
    } else {
      EXPECT_EQ(ours, git_accepts(name)) << quoted(name);
    }
  }
}

TEST(InstanceNames, ReadBackWhatTheyWrite) {
  const InstanceName name{AppName::parse("my-blog"), 4294967295, ProcessType::parse("mail_queue"), 12};
  EXPECT_EQ(name.str(), "my-blog.4294967295.mail_queue.12");
  EXPECT_EQ(InstanceName::from(name.str()), name);
}

TEST(InstanceNames, AreAbsentForEverythingElse) {
  for (const std::string text : {"",
                                 "router",
                                 "daemon",
                                 "blog",
                                 "blog.1.web",
                                 "blog.1.web.1.1",
                                 "blog.0.web.1",
                                 "blog.1.web.0",
                                 "blog.01.web.1",
                                 "blog.1.web.01",
                                 "blog.+1.web.1",
                                 "blog.-1.web.1",
                                 "blog.4294967296.web.1",
                                 "blog..web.1",
                                 "blog.1..1",
                                 "Blog.1.web.1",
                                 "blog.1.Web.1",
                                 ".1.web.1",
                                 "blog.1.web.",
                                 "blog.1.web.1 ",
                                 "blog/.1.web.1"}) {
    EXPECT_EQ(InstanceName::from(text), std::nullopt) << text;
  }
  EXPECT_EQ(InstanceName::from("blog.1.web.1\0"s), std::nullopt);
}

}  // namespace
}  // namespace pushrod
