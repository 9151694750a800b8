// The commit point: branches move whole, or not at all, and no lock file of a dead git stops them.
// Unit tests of git/branches.cc.
#include <fcntl.h>
#include <sys/stat.h>

#include <thread>

#include "git/early_git.hh"
#include "git_test_support.hh"
#include "os/clock.hh"

namespace pushrod {

namespace {

const BranchName kMain = BranchName::parse("main");

class BranchesTest : public GitTest {
 protected:
  BranchesTest() : one_(commit_files({{"a", "1"}})), two_(commit_files({{"a", "2"}}, {one_})) {}

  void leave_lock(const std::string& file, int seconds_ago) const {
    const fs::path path = repo().directory() / (file + ".lock");
    write_file(path, "", 0600, false);
    const timespec then[2] = {{time(nullptr) - seconds_ago, 0}, {time(nullptr) - seconds_ago, 0}};
    ASSERT_EQ(utimensat(AT_FDCWD, path.c_str(), then, 0), 0);
  }

  CommitId one_, two_;
};

TEST_F(BranchesTest, MovesFromTheOldCommitToTheNewOne) {
  repo().move_branch(kMain, one_, std::nullopt);
  EXPECT_EQ(repo().head_of(kMain), one_);
  repo().move_branch(kMain, two_, one_);
  EXPECT_EQ(repo().head_of(kMain), two_);
  // Backwards as well: a rollback and a forced push do that.
  repo().move_branch(kMain, one_, two_);
  EXPECT_EQ(repo().head_of(kMain), one_);
}

TEST_F(BranchesTest, MovesWithAGitThatStartedEarlier) {
  const auto prepared = repo().prepare_move();
  EXPECT_EQ(repo().head_of(kMain), std::nullopt);
  repo().move_branch(kMain, one_, std::nullopt, prepared.get());
  EXPECT_EQ(repo().head_of(kMain), one_);
}

TEST_F(BranchesTest, MovesThoughTheEarlierGitCannotDoIt) {
  const auto prepared = repo().prepare_move();
  static_cast<void>(prepared->finish("nonsense\n"));
  repo().move_branch(kMain, one_, std::nullopt);
  const auto second = repo().prepare_move();
  leave_lock("refs/heads/main", 100);
  repo().move_branch(kMain, two_, one_, second.get());
  EXPECT_EQ(repo().head_of(kMain), two_);
}

TEST_F(BranchesTest, AGitThatIsNotNeededAfterAllChangesNothing) {
  repo().move_branch(kMain, one_, std::nullopt);
  repo().prepare_move().reset();
  EXPECT_EQ(repo().head_of(kMain), one_);
}

TEST_F(BranchesTest, AnEarlierGitRefusesWhatMovedMeanwhile) {
  repo().move_branch(kMain, one_, std::nullopt);
  const auto prepared = repo().prepare_move();
  repo().move_branch(kMain, two_, one_);
  EXPECT_THROW(repo().move_branch(kMain, one_, std::nullopt, prepared.get()), Error);
  EXPECT_EQ(repo().head_of(kMain), two_);
}

TEST_F(BranchesTest, MovingItToWhereItIsIsDone) {
  repo().move_branch(kMain, two_, std::nullopt);
  repo().move_branch(kMain, two_, one_);
  EXPECT_EQ(repo().head_of(kMain), two_);
}

TEST_F(BranchesTest, RefusesWhenItMovedMeanwhile) {
  const CommitId three = commit_files({{"a", "3"}});
  repo().move_branch(kMain, one_, std::nullopt);
  EXPECT_NE(what_is_thrown<Error>([&] { repo().move_branch(kMain, two_, three); }).find(abbreviated(one_)),
            std::string::npos);
  EXPECT_THROW(repo().move_branch(kMain, two_, std::nullopt), Error);
  EXPECT_THROW(repo().delete_branch(kMain, two_), Error);
  EXPECT_EQ(repo().head_of(kMain), one_);
  EXPECT_THROW(repo().move_branch(BranchName::parse("new"), two_, one_), Error);
  EXPECT_EQ(repo().head_of(BranchName::parse("new")), std::nullopt);
}

TEST_F(BranchesTest, NamesNothingButCommitsThatAreThere) {
  const CommitId tree_id = CommitId::parse(git({"rev-parse", one_.str() + "^{tree}"}));
  EXPECT_THROW(repo().move_branch(kMain, tree_id, std::nullopt), Error);
  EXPECT_THROW(repo().move_branch(kMain, CommitId::parse(std::string(40, 'c')), std::nullopt), Error);
  EXPECT_EQ(repo().head_of(kMain), std::nullopt);
}

TEST_F(BranchesTest, DeletesLooseAndPackedOnesAndWhatIsNotThere) {
  repo().move_branch(kMain, one_, std::nullopt);
  repo().delete_branch(kMain, one_);
  EXPECT_EQ(repo().head_of(kMain), std::nullopt);
  repo().move_branch(kMain, one_, std::nullopt);
  git({"pack-refs", "--all"});
  repo().delete_branch(kMain, std::nullopt);
  EXPECT_EQ(repo().head_of(kMain), std::nullopt);
  repo().delete_branch(kMain, one_);
  repo().delete_branch(kMain, std::nullopt);
}

// Line 6 of the faults.
TEST_F(BranchesTest, NamesReachGitVerbatim) {
  for (const std::string& name : {std::string("a;id"), std::string("$(id)"), std::string("a'b"), std::string("a\"b"),
                                  std::string("a&&b|c"), std::string("%s%n"), std::string("heads"),
                                  std::string("ünï/ço∂é"), std::string("refs/heads/x"), std::string(200, 'y')}) {
    const BranchName branch = BranchName::parse(name);
    repo().move_branch(branch, one_, std::nullopt);
    EXPECT_EQ(git({"for-each-ref", "--format=%(refname)"}), "refs/heads/" + name);
    EXPECT_EQ(repo().head_of(branch), one_) << name;
    repo().set_default_branch(branch);
    EXPECT_EQ(git({"symbolic-ref", "HEAD"}), "refs/heads/" + name);
    git({"pack-refs", "--all"});
    EXPECT_EQ(repo().head_of(branch), one_) << name;
    repo().move_branch(branch, two_, one_);
    repo().delete_branch(branch, two_);
    EXPECT_EQ(repo().head_of(branch), std::nullopt) << name;
  }
}

// Line 21 of the faults.
TEST_F(BranchesTest, ALeftOverLockFileIsRemoved) {
  repo().move_branch(kMain, one_, std::nullopt);
  leave_lock("refs/heads/main", 60);
  leave_lock("HEAD", 60);
  repo().move_branch(kMain, two_, one_);
  EXPECT_EQ(repo().head_of(kMain), two_);
  leave_lock("refs/heads/main", 60);
  leave_lock("HEAD", 60);
  leave_lock("packed-refs", 60);
  repo().delete_branch(kMain, two_);
  EXPECT_EQ(repo().head_of(kMain), std::nullopt);
  leave_lock("HEAD", 60);
  repo().move_branch(BranchName::parse("other"), one_, std::nullopt);
  repo().set_default_branch(BranchName::parse("other"));
  EXPECT_EQ(git({"symbolic-ref", "HEAD"}), "refs/heads/other");
}

TEST_F(BranchesTest, ALockFileFromTheFutureIsRemovedOnceItHasStoodStill) {
  repo().move_branch(kMain, one_, std::nullopt);
  leave_lock("refs/heads/main", -3600);  // the clock was set back by an hour
  repo().move_branch(kMain, two_, one_);
  EXPECT_EQ(repo().head_of(kMain), two_);
}

TEST_F(BranchesTest, ALockThatIsHeldForAMomentIsWaitedFor) {
  repo().move_branch(kMain, one_, std::nullopt);
  leave_lock("refs/heads/main", 0);
  // Whether its holder lets go before or after our git begins to wait makes no difference.
  std::thread holder([&] {
    std::this_thread::sleep_for(Milliseconds{50});
    remove_file(repo().directory() / "refs/heads/main.lock");
  });
  const Stopwatch watch;
  repo().move_branch(kMain, two_, one_);
  holder.join();
  EXPECT_EQ(repo().head_of(kMain), two_);
  EXPECT_LT(watch.elapsed(), Milliseconds{2'500});
}

TEST_F(BranchesTest, CommitsAreKeptThoughAKilledGitHasLeftItsLocks) {
  const CommitId commit = one_;
  repo().keep_commits({{"blog/1", commit}, {"blog/2", commit}});
  leave_lock("packed-refs", 100);
  leave_lock("refs/pushrod/keep/blog/1", 100);
  leave_lock("refs/pushrod/keep/blog/2", 0);
  repo().keep_commits({{"blog/3", commit}});
  repo().collect_garbage();
  EXPECT_EQ(git({"for-each-ref", "--format=%(refname)"}), "refs/pushrod/keep/blog/3");
}

}  // namespace

}  // namespace pushrod
