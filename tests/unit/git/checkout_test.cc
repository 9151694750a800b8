// Working directories: exact, fresh or from the spare, and never a byte outside.
// Unit tests of git/checkout.cc.
#include "git/checkout.hh"

#include <fcntl.h>
#include <sys/stat.h>

#include <thread>

#include "git_test_support.hh"

namespace pushrod {

namespace {

class CheckoutTest : public GitTest {
 protected:
  CheckoutTest() : tree_(root_ / "checkouts/blog/1/tree"), spare_(root_ / "cache/blog/spare") {
    make_directory(tree_.parent_path());
    make_directory(outside_);
    write_file(outside_ / "file", "untouched");
  }

  std::string file(const std::string& name) const {
    return read_file(tree_ / name, 1 << 20, false).value_or("(absent)");
  }
  // A directory "d" with one file in it, and one file beside it.
  CommitId commit_with_directory(const std::string& in_directory, const std::string& beside) const {
    const std::string inner = tree({{"100644", "file", blob(in_directory)}});
    return commit(tree({{"100644", "beside", blob(beside)}, {"040000", "d", inner}}));
  }
  // A file that was written anew has another change time, even where the inode is used again.
  static timespec changed(const fs::path& path) {
    struct stat status {};
    EXPECT_EQ(lstat(path.c_str(), &status), 0) << path;
    return status.st_ctim;
  }
  static bool same(const timespec& one, const timespec& other) {
    return one.tv_sec == other.tv_sec && one.tv_nsec == other.tv_nsec;
  }
  void expect_nothing_left_beside() const {
    EXPECT_EQ(list_directory(tree_.parent_path()), std::vector<std::string>{"tree"});
  }
  void expect_outside_untouched() const {
    EXPECT_EQ(list_directory(outside_), std::vector<std::string>{"file"});
    EXPECT_EQ(read_file(outside_ / "file"), "untouched");
  }

  fs::path tree_, spare_;
  fs::path outside_ = root_ / "outside";
};

TEST_F(CheckoutTest, WritesFilesModesAndSymlinksAsCommitted) {
  const std::string script = blob("#!/bin/sh\n");
  const CommitId commit_id = commit(tree({{"100644", "-rf", blob("dash\r\n")},
                                          {"120000", "link", blob("../../somewhere")},
                                          {"100755", "run", script},
                                          {"100644", "sp ace\n\t\"'$(id)", blob("odd")},
                                          {"040000", "sub", tree({{"100644", "\xff\xfe", blob("bytes")}})}}));
  write_checkout(repo(), commit_id, tree_, spare_);
  EXPECT_EQ(file("-rf"), "dash\r\n");
  EXPECT_EQ(file("sp ace\n\t\"'$(id)"), "odd");
  EXPECT_EQ(file("sub/\xff\xfe"), "bytes");
  EXPECT_EQ(fs::read_symlink(tree_ / "link"), "../../somewhere");
  EXPECT_NE(fs::status(tree_ / "run").permissions() & fs::perms::owner_exec, fs::perms::none);
  EXPECT_EQ(fs::status(tree_ / "-rf").permissions() & fs::perms::owner_exec, fs::perms::none);
  expect_nothing_left_beside();
  EXPECT_FALSE(fs::exists(tree_ / ".git"));
}

TEST_F(CheckoutTest, AttributesCannotRunAFilter) {
  git({"config", "--file", (root_ / "evil").string(), "filter.evil.smudge", "touch " + (root_ / "ran").string()});
  write_checkout(repo(), commit_files({{".gitattributes", "* filter=evil\n"}, {"a", "plain\n"}}), tree_, spare_);
  EXPECT_EQ(file("a"), "plain\n");
  EXPECT_FALSE(fs::exists(root_ / "ran"));
}

TEST_F(CheckoutTest, AnEmptyCommitIsAnEmptyDirectory) {
  write_checkout(repo(), commit(tree({})), tree_, spare_);
  EXPECT_TRUE(is_directory(tree_));
  EXPECT_TRUE(list_directory(tree_).empty());
}

TEST_F(CheckoutTest, RefusesAPlaceThatIsTaken) {
  const CommitId one = commit_files({{"file", "1"}});
  make_directory(tree_);
  EXPECT_THROW(write_checkout(repo(), one, tree_, spare_), Error);
  remove_tree(tree_);
  fs::create_directory_symlink(outside_, tree_);
  EXPECT_THROW(write_checkout(repo(), one, tree_, spare_), Error);
  expect_outside_untouched();
}

TEST_F(CheckoutTest, ACommitThatIsNotThereIsAnError) {
  EXPECT_THROW(write_checkout(repo(), CommitId::parse(std::string(40, 'd')), tree_, spare_), Error);
}

TEST_F(CheckoutTest, TheSpareBecomesTheCheckoutAndOnlyDifferencesAreWritten) {
  const CommitId one = commit_files({{"changed", "1"}, {"gone", "x"}, {"same", "same"}});
  const CommitId two = commit_files({{"changed", "2"}, {"new", "y"}, {"same", "same"}});
  prepare_spare(repo(), one, spare_);
  const timespec before = changed(spare_ / "tree/same");
  write_checkout(repo(), two, tree_, spare_);
  EXPECT_TRUE(same(before, changed(tree_ / "same")));
  EXPECT_EQ(file("changed"), "2");
  EXPECT_EQ(file("new"), "y");
  EXPECT_EQ(list_directory(tree_), (std::vector<std::string>{"changed", "new", "same"}));
  EXPECT_FALSE(fs::exists(spare_));
  expect_nothing_left_beside();
}

TEST_F(CheckoutTest, ASpareIsMadeAgainOnlyForAnotherCommit) {
  const CommitId one = commit_files({{"a", "1"}});
  const CommitId two = commit_files({{"a", "2"}});
  prepare_spare(repo(), one, spare_);
  const timespec before = changed(spare_);
  prepare_spare(repo(), one, spare_);
  EXPECT_TRUE(same(before, changed(spare_)));
  prepare_spare(repo(), two, spare_);
  EXPECT_EQ(read_file(spare_ / "tree/a"), "2");
  EXPECT_EQ(list_directory(spare_.parent_path()), std::vector<std::string>{"spare"});
}

TEST_F(CheckoutTest, AHalfMadeSpareIsNotUsed) {
  const CommitId one = commit_files({{"a", "1"}, {"b", "1"}});
  prepare_spare(repo(), one, spare_);
  remove_file(spare_ / "commit");
  const timespec before = changed(spare_ / "tree/a");
  write_checkout(repo(), one, tree_, spare_);
  EXPECT_FALSE(same(before, changed(tree_ / "a")));
  expect_nothing_left_beside();
}

TEST_F(CheckoutTest, ASpareFromBeforeTheLastBootIsNotUsed) {
  const CommitId one = commit_files({{"a", "right"}});
  prepare_spare(repo(), one, spare_);
  write_file(spare_ / "commit", one.str() + " 01234567-89ab-cdef-0123-456789abcdef\n");
  const timespec before = changed(spare_ / "tree/a");
  write_checkout(repo(), one, tree_, spare_);
  EXPECT_FALSE(same(before, changed(tree_ / "a")));
}

TEST_F(CheckoutTest, ASpareThatCannotBeMovedIsNotUsed) {
  const CommitId one = commit_files({{"a", "1"}});
  prepare_spare(repo(), one, spare_);
  fs::permissions(spare_ / "tree", fs::perms::owner_read | fs::perms::owner_exec);
  write_checkout(repo(), one, tree_, spare_);
  EXPECT_EQ(file("a"), "1");
  expect_nothing_left_beside();
}

TEST_F(CheckoutTest, AHalfDeletedSpareGivesAWholeCheckout) {
  const CommitId one = commit_files({{"a", "1"}, {"b", "1"}, {"c", "1"}});
  const CommitId two = commit_files({{"a", "2"}, {"b", "1"}, {"c", "1"}}, {one});
  for (const char* missing : {"tree/b", "tree", "index"}) {
    prepare_spare(repo(), one, spare_);
    remove_tree(spare_ / missing);
    write_checkout(repo(), two, tree_, spare_);
    EXPECT_EQ(file("a") + file("b") + file("c"), "211") << missing;
    expect_nothing_left_beside();
    remove_tree(tree_);
  }
}

TEST_F(CheckoutTest, AChangedSpareStillGivesTheCommit) {
  const CommitId one = commit_files({{"a", "1"}, {"b", "1"}});
  prepare_spare(repo(), one, spare_);
  write_file(spare_ / "tree/b", "forged");
  write_checkout(repo(), one, tree_, spare_);
  EXPECT_EQ(file("b"), "1");
  remove_tree(tree_);
  prepare_spare(repo(), one, spare_);
  write_file(spare_ / "index", "DIRC and garbage");
  write_checkout(repo(), one, tree_, spare_);
  EXPECT_EQ(file("b"), "1");
}

TEST_F(CheckoutTest, OfTwoTakersOnlyOneGetsTheSpare) {
  const CommitId one = commit_files({{"a", "1"}, {"b", "1"}});
  const fs::path other = root_ / "checkouts/blog/2/tree";
  make_directory(other.parent_path());
  prepare_spare(repo(), one, spare_);
  std::thread second([&] { write_checkout(repo(), one, other, spare_); });
  write_checkout(repo(), one, tree_, spare_);
  second.join();
  for (const fs::path& tree : {tree_, other}) {
    EXPECT_EQ(list_directory(tree), (std::vector<std::string>{"a", "b"}));
  }
}

// Line 11 of the faults.
TEST_F(CheckoutTest, SymlinksAreOnlyEverWrittenAsSymlinks) {
  const CommitId links = commit(tree({{"120000", "absolute", blob("/etc/passwd")},
                                      {"120000", "d", blob(outside_.string())},
                                      {"120000", "keys", blob("../../.ssh/authorized_keys")}}));
  write_checkout(repo(), links, tree_, spare_);
  EXPECT_EQ(fs::read_symlink(tree_ / "absolute"), "/etc/passwd");
  EXPECT_EQ(fs::read_symlink(tree_ / "keys"), "../../.ssh/authorized_keys");
  remove_tree(tree_);

  // The link becomes a directory with a file of the same name in it, and back.
  const CommitId directory = commit_with_directory("in d", "1");
  prepare_spare(repo(), links, spare_);
  write_checkout(repo(), directory, tree_, spare_);
  EXPECT_EQ(file("d/file"), "in d");
  expect_outside_untouched();
  remove_tree(tree_);
  prepare_spare(repo(), directory, spare_);
  write_checkout(repo(), links, tree_, spare_);
  EXPECT_EQ(fs::read_symlink(tree_ / "d"), outside_);
  expect_outside_untouched();
}

TEST_F(CheckoutTest, ADirectorySwappedForASymlinkLeadsNowhere) {
  const CommitId one = commit_with_directory("1", "1");
  const CommitId changed = commit_with_directory("2", "2");
  const CommitId deleted = commit_files({{"beside", "3"}});
  for (const CommitId& next : {changed, deleted, one}) {
    prepare_spare(repo(), one, spare_);
    remove_tree(spare_ / "tree/d");
    fs::create_directory_symlink(outside_, spare_ / "tree/d");
    write_checkout(repo(), next, tree_, spare_);
    expect_outside_untouched();
    // A link that the commit does not know may stay, as any stray file may; nobody can put one into a spare.
    if (next != deleted) {
      EXPECT_FALSE(fs::is_symlink(tree_ / "d"));
      EXPECT_EQ(file("d/file"), next == changed ? "2" : "1");
    }
    remove_tree(tree_);
  }
}

TEST_F(CheckoutTest, ATreeWhoseSymlinkIsAlsoADirectoryWritesNothingOutside) {
  // "d" twice: a link to the outside, and a directory. fsck refuses the push of it; git must not follow it either.
  const std::string inner = tree({{"100644", "file", blob("overwritten")}});
  const CommitId twice = commit(tree({{"120000", "d", blob(outside_.string())}, {"040000", "d", inner}}));
  try {
    write_checkout(repo(), twice, tree_, spare_);
  } catch (const Error&) {
    // Either is right.
  }
  expect_outside_untouched();
}

// Attributes that fill something in would make a checkout larger than what the push was measured by.
TEST_F(CheckoutTest, WritesFilesAsTheyAreStoredInSpiteOfAttributes) {
  const std::map<std::string, std::string> files = {
      {".gitattributes",
       "* text eol=crlf ident\n*.utf16 text working-tree-encoding=UTF-16\n*.odd working-tree-encoding\n"},
      {"a.txt", "$Id$\n$Id$\n\n\n\n"},
      {"b.utf16", "text\n"},
      {"c.odd", "text\n"}};
  write_checkout(repo(), commit_files(files), root_ / "attributes", root_ / "no-spare");
  for (const auto& [file, content] : files) EXPECT_EQ(read_file(root_ / "attributes" / file), content) << file;
}

}  // namespace

}  // namespace pushrod
