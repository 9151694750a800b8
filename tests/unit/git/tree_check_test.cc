// What may be pushed: limits, forbidden names, and bombs that must not cost memory or time.
// Unit tests of git/tree_check.cc and git/tree_listing.cc.
#include "git/tree_check.hh"

#include <sys/resource.h>

#include "git/tree_listing.hh"
#include "git_test_support.hh"
#include "os/clock.hh"

namespace pushrod {

namespace {

class TreeCheckTest : public GitTest {
 protected:
  TreeSize check(const CommitId& commit_id) const { return check_tree(repo(), commit_id, settings_, false); }
  std::string refusal(const std::vector<TestEntry>& entries) const {
    const CommitId id = commit(tree(entries));
    return what_is_thrown<UserError>([&] { check(id); });
  }
  std::string refusal_of(const std::string& tree_id) const {
    const CommitId id = commit(tree_id);
    return what_is_thrown<UserError>([&] { check(id); });
  }
  // levels of directories with so many entries each: entries^levels paths from levels objects.
  std::string bomb(int levels, int entries) const {
    std::string object = blob("boom");
    for (int level = 0; level < levels; ++level) {
      std::vector<TestEntry> all;
      for (int at = 0; at < entries; ++at) {
        all.push_back({level == 0 ? "100644" : "040000", "d" + std::to_string(at), object});
      }
      object = tree(all);
    }
    return object;
  }
};

TEST_F(TreeCheckTest, CountsFilesDirectoriesAndBytes) {
  const std::string inner = tree({{"100755", "x", blob("12345")}, {"100644", "y", blob("")}});
  const TreeSize size = check(commit(tree({{"100644", "a", blob("123")},
                                           {"040000", "d", inner},
                                           {"120000", "link", blob("ab")},
                                           {"040000", "same", inner}})));
  EXPECT_EQ(size.entries, 8u);
  EXPECT_EQ(size.bytes, 3u + 2u + 2u * 5u);
  EXPECT_EQ(check(commit(tree({}))).entries, 0u);
}

TEST_F(TreeCheckTest, AcceptsExactlyTheLimitsAndNotOneMore) {
  const std::string deep = tree({{"040000", "b", tree({{"100644", "ccc", blob("1234567890")}})}});
  const CommitId commit_id = commit(tree({{"040000", "a", deep}}));  // a, a/b, a/b/ccc
  settings_.tree_entries = 3;
  settings_.tree_bytes = 10;
  settings_.tree_depth = 3;
  settings_.path_length = 7;
  EXPECT_EQ(check(commit_id).entries, 3u);

  const auto refused_with = [&](auto Settings::*limit, auto less) {
    const Settings before = settings_;
    settings_.*limit = less;
    const std::string message = what_is_thrown<UserError>([&] { check(commit_id); });
    settings_ = before;
    return message;
  };
  EXPECT_NE(refused_with(&Settings::tree_entries, 2u).find("tree_entries"), std::string::npos);
  EXPECT_NE(refused_with(&Settings::tree_bytes, 9u).find("\"a/b/ccc\" (10 B)"), std::string::npos);
  EXPECT_NE(refused_with(&Settings::tree_depth, 2u).find("tree_depth"), std::string::npos);
  EXPECT_NE(refused_with(&Settings::path_length, 6u).find("\"a/b/ccc\""), std::string::npos);
}

TEST_F(TreeCheckTest, APathThatIsLongerThanAnyBufferIsNamedByItsBeginning) {
  const std::string message = refusal({{"100644", std::string(300'000, 'x'), blob("")}});
  EXPECT_NE(message.find("xxxx"), std::string::npos);
  EXPECT_NE(message.find("path_length"), std::string::npos);
  EXPECT_LT(message.size(), 600u);
  EXPECT_NE(refusal({{"100644", std::string(256, 'x'), blob("")}}).find("255"), std::string::npos);
}

// Line 9 of the faults.
TEST_F(TreeCheckTest, RefusesGitsOwnDirectoryAtAnyDepth) {
  const std::string inner = tree({{"100644", "config", blob("x")}});
  EXPECT_NE(refusal({{"040000", ".GIT", inner}}).find("\".GIT\" contains a name that some systems take for .git"),
            std::string::npos);
  EXPECT_NE(refusal({{"040000", "sub", tree({{"040000", "git~1", inner}})}}).find("\"sub/git~1\""), std::string::npos);
}

TEST(DotGit, IsWhatAnyFileSystemTakesForIt) {
  for (const char* name :
       {".git", ".GIT", ".gIt", ".git ", ".git.", ".git...", ".git::$INDEX_ALLOCATION", ".git:x", "git~1", "GIT~1",
        "git~1 .", ".g\u200cit", ".gi\u200et", "\ufeff.git", ".git\u206f", "a\\.git", "..\\.GIT\\x"}) {
    EXPECT_TRUE(is_dot_git(name)) << name;
  }
  for (const char* name : {"", ".", "..", "...", "git", ".gitx", "x.git", ".gitignore", "git~10", "git~2", ".g it",
                           ".gi", ".g\u20ac", ".gi\u2020t"}) {
    EXPECT_FALSE(is_dot_git(name)) << name;
  }
}

TEST_F(TreeCheckTest, RefusesPartsThatLeadElsewhere) {
  const std::string file = blob("x");
  EXPECT_NE(refusal({{"100644", "..", file}}).find("contains \".\" or \"..\""), std::string::npos);
  EXPECT_NE(refusal({{"040000", ".", tree({{"100644", "x", file}})}}).find("contains \".\" or \"..\""),
            std::string::npos);
  EXPECT_NE(refusal({{"040000", "..", tree({{"100644", "x", file}})}}).find("contains \".\" or \"..\""),
            std::string::npos);
  // One entry whose name has slashes in it, so that no directory of that name is listed before.
  EXPECT_NE(refusal({{"100644", "a/../../x", file}}).find("contains \".\" or \"..\""), std::string::npos);
  EXPECT_NE(refusal({{"100644", ".git/config", file}}).find("take for .git"), std::string::npos);
  EXPECT_NE(refusal({{"100644", "/etc/passwd", file}}).find("empty"), std::string::npos);
}

TEST_F(TreeCheckTest, AcceptsNamesThatOnlyLookAlike) {
  std::vector<TestEntry> entries;
  const std::string file = blob("x");
  for (const char* name :
       {"-rf", "...", ".gitattributes", ".gitignore", ".gitmodules", ".gitx", "git", "git~10", "x.git"}) {
    entries.push_back({"100644", name, file});
  }
  EXPECT_EQ(check(commit(tree(entries))).entries, entries.size());
}

TEST_F(TreeCheckTest, RefusesSubmodulesWithoutAddressAndASymlinkedGitmodules) {
  const TestEntry submodule{"160000", "lib", std::string(40, 'a')};
  EXPECT_NE(refusal({submodule}).find("a git repository inside of the repository"), std::string::npos);
  EXPECT_EQ(check(commit(tree({{"100644", ".gitmodules", blob("")}, submodule}))).entries, 2u);
  EXPECT_NE(refusal({{"120000", ".gitmodules", blob("/etc/passwd")}}).find("symbolic link"), std::string::npos);
}

// Line 10 of the faults, as far as modes go.
TEST_F(TreeCheckTest, WhatTheAppSaysOfItselfMustBeARegularFile) {
  const std::string file = blob("web: x\n");
  for (const char* name : {"Procfile", "pushrod.toml"}) {
    EXPECT_NE(refusal({{"120000", name, file}}).find("symbolic link"), std::string::npos) << name;
    EXPECT_NE(refusal({{"160000", name, std::string(40, 'a')}}).find("directory"), std::string::npos) << name;
    EXPECT_NE(refusal({{"040000", name, tree({{"100644", "x", file}})}}).find("directory"), std::string::npos) << name;
    const std::string inner = tree({{"120000", name, file}});
    const std::string message = refusal({{"040000", "services", inner}});
    EXPECT_NE(message.find("services/"), std::string::npos) << message;
    EXPECT_EQ(check(commit(tree({{"100755", name, file}}))).entries, 1u);
  }
}

TEST_F(TreeCheckTest, WhatIsNoCommitIsRefused) {
  const CommitId one = commit_files({{"a", "1"}});
  git({"-c", "user.name=t", "-c", "user.email=t@t", "tag", "-a", "-m", "a tag", "v1", one.str()});
  const CommitId tag = CommitId::parse(git({"rev-parse", "v1"}));
  EXPECT_NE(what_is_thrown<UserError>([&] { check(tag); }).find("a tag, not a commit"), std::string::npos);
  const CommitId tree_id = CommitId::parse(git({"rev-parse", one.str() + "^{tree}"}));
  EXPECT_NE(what_is_thrown<UserError>([&] { check(tree_id); }).find("a tree"), std::string::npos);
  const CommitId missing = CommitId::parse(std::string(40, 'e'));
  EXPECT_NE(what_is_thrown<Error>([&] { check(missing); }).find("could not list"), std::string::npos);
}

TEST_F(TreeCheckTest, AMissingFileIsAnErrorAndNoSize) {
  const CommitId id = commit(tree({{"100644", "a", std::string(40, 'f')}}));
  EXPECT_FALSE(what_is_thrown<Error>([&] { check(id); }).empty());
}

// Line 12 of the faults.
TEST_F(TreeCheckTest, ABombOfAThousandMillionPathsIsRefusedAtOnceInConstantMemory) {
  const CommitId id = commit(bomb(10, 10));
  const auto peak = [](int whose) {
    rusage usage{};
    getrusage(whose, &usage);
    return usage.ru_maxrss;  // KiB
  };
  const long ours_before = peak(RUSAGE_SELF);
  const long gits_before = peak(RUSAGE_CHILDREN);
  const Stopwatch watch;
  EXPECT_NE(what_is_thrown<UserError>([&] { check(id); }).find("200000 files"), std::string::npos);
  EXPECT_LT(watch.elapsed(), Milliseconds{10'000}) << "looking at them all takes hours";
  constexpr long kMost = 64L * 1024;
  EXPECT_LT(peak(RUSAGE_SELF) - ours_before, kMost);
  EXPECT_LT(peak(RUSAGE_CHILDREN) - gits_before, kMost);
}

TEST_F(TreeCheckTest, DirectoriesWithoutFilesAreABombToo) {
  std::string object = tree({});
  for (int level = 0; level < 12; ++level) {
    std::vector<TestEntry> all;
    for (int at = 0; at < 10; ++at) all.push_back({"040000", "d" + std::to_string(at), object});
    object = tree(all);
  }
  EXPECT_NE(refusal_of(object).find("tree_entries"), std::string::npos);
}

TEST_F(TreeCheckTest, ManyPathsToOneLargeFileAreCountedEach) {
  const CommitId id = commit(bomb(5, 10));  // 100,000 files of 4 bytes
  EXPECT_EQ(check(id).bytes, 400'000u);
  settings_.tree_bytes = 399'999;
  EXPECT_NE(what_is_thrown<UserError>([&] { check(id); }).find("tree_bytes"), std::string::npos);
}

TEST_F(TreeCheckTest, AVeryDeepTreeIsRefusedForItsDepth) {
  constexpr int kLevels = 3'000;
  std::string stream =
      "blob\nmark :1\ndata 1\nx\ncommit refs/heads/deep\ncommitter a <a@b> 1 +0000\ndata 0\nM 100644 :1 ";
  for (int level = 0; level < kLevels; ++level) stream += "d/";
  stream += "f\n\n";
  git({"fast-import", "--quiet"}, stream);
  const CommitId id = CommitId::parse(git({"rev-parse", "refs/heads/deep"}));
  EXPECT_NE(what_is_thrown<UserError>([&] { check(id); }).find("tree_depth"), std::string::npos);
}

TEST(TreeListing, TakesAStreamCutAnywhere) {
  const std::string oid(40, '1');
  const std::string text = "100644 blob " + oid + "\ta b\n" + '\0' + "040000 tree " + oid + "\td" + '\0' +
                           "120000 blob " + oid + "\td/l" + '\0' + "160000 commit " + oid + "\tm" + '\0';
  for (std::size_t step = 1; step <= text.size(); ++step) {
    TreeListing listing(100);
    std::string seen;
    for (std::size_t at = 0; at < text.size(); at += step) {
      EXPECT_TRUE(listing.feed(std::string_view(text).substr(at, step), [&](const TreeEntry& entry) {
        EXPECT_EQ(entry.object, oid);
        seen += std::to_string(static_cast<int>(entry.kind)) + std::string(entry.path) + "|";
        return true;
      }));
    }
    EXPECT_EQ(seen, "0a b\n|2d|1d/l|3m|");
    EXPECT_TRUE(listing.rest().empty());
  }
}

TEST(TreeListing, RefusesWhatGitDoesNotPrint) {
  const auto take = [](const TreeEntry&) { return true; };
  const std::string oid(40, '1');
  for (const std::string& text :
       {std::string(), std::string("garbage"), std::string("fatal: not a tree object\n"), "100644 blob " + oid,
        "200644 blob " + oid + "\ta", "100644 tree " + oid + "\ta", "100644 blob " + oid + "1\ta",
        "100644 blob " + std::string(40, 'x') + "\ta", std::string("100644 blob 1\ta")}) {
    TreeListing listing(100);
    EXPECT_THROW(listing.feed(text + '\0', take), Error) << text;
  }
}

}  // namespace

}  // namespace pushrod
