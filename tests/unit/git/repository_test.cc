// A repository: creation, configuration, and the questions asked of it.
// Unit tests of git/repository.cc, repository_config.cc and git_command.cc.
#include "git/repository.hh"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "git/repository_config.hh"
#include "git_test_support.hh"

namespace pushrod {

namespace {

using RepositoryTest = GitTest;

const BranchName kMain = BranchName::parse("main");

TEST_F(RepositoryTest, IsABareRepositoryThatGitAccepts) {
  EXPECT_EQ(git({"rev-parse", "--is-bare-repository"}), "true");
  EXPECT_EQ(git({"symbolic-ref", "HEAD"}), "refs/heads/main");
  EXPECT_EQ(git({"config", "core.hooksPath"}), hooks_.string());
  EXPECT_EQ(git({"config", "receive.procReceiveRefs"}), "refs/");
  EXPECT_EQ(git({"config", "--type=bool", "transfer.fsckObjects"}), "true");
  EXPECT_EQ(git({"fsck"}), "");
}

TEST_F(RepositoryTest, HasNothingFromATemplate) {
  EXPECT_TRUE(list_directory(repo().directory() / "hooks").empty());
  EXPECT_EQ(list_directory(repo().directory() / "info"), std::vector<std::string>{"attributes"});
}

TEST(RepositoryConfig, IsRenderedAsTheGoldenFile) {
  Settings settings;
  settings.push_bytes = 123456789;
  EXPECT_EQ(render_repository_config("/srv/push\"rod\\x/run/hooks", settings),
            read_file(fs::path(PUSHROD_GOLDEN_DIR) / "config").value_or("no golden file"));
}

TEST_F(RepositoryTest, ReadsBackAHooksPathWithEverySpecialCharacter) {
  const std::string hostile = root_.string() + "/a \"b\" \\c\t;d#e\nf";
  repo().configure(hostile, settings_);
  EXPECT_EQ(git({"config", "core.hooksPath"}), hostile);
}

TEST_F(RepositoryTest, WritesTheConfigurationOnlyWhenItDiffers) {
  const fs::path file = repo().directory() / "config";
  const auto inode = [&] {
    struct stat status {};
    EXPECT_EQ(stat(file.c_str(), &status), 0);
    return status.st_ino;
  };
  const ino_t before = inode();
  repo().configure(hooks_, settings_);
  EXPECT_EQ(inode(), before);
  write_file(file, "[core]\n\tbare = true\n");
  repo().configure(hooks_, settings_);
  EXPECT_EQ(git({"config", "core.hooksPath"}), hooks_.string());
}

TEST_F(RepositoryTest, CreatingItAgainKeepsWhatIsInIt) {
  repo().move_branch(kMain, commit_files({{"a", "1"}}), std::nullopt);
  const Repository again = Repository::create(repo().directory(), hooks_, settings_);
  EXPECT_TRUE(again.head_of(kMain));
}

TEST_F(RepositoryTest, WhatAKilledCreationLeftIsRemovedAndNothingElseIs) {
  // The pid of a process that is certainly gone, and our own.
  const pid_t gone = fork();
  if (gone == 0) _exit(0);
  ASSERT_EQ(waitpid(gone, nullptr, 0), gone);
  const fs::path dead = root_ / ("other.git.new." + std::to_string(gone));
  const fs::path unrelated = root_ / "other.git.newer";
  const fs::path alive = root_ / ("other.git.new." + std::to_string(getppid()));
  for (const fs::path& path : {dead, unrelated, alive}) make_directory(path / "objects");
  Repository::create(root_ / "other.git", hooks_, settings_);
  EXPECT_FALSE(is_directory(dead));
  EXPECT_TRUE(is_directory(unrelated));
  EXPECT_TRUE(is_directory(alive));
}

TEST_F(RepositoryTest, WhatIsLeftOfARemovedOneIsReplaced) {
  const fs::path directory = repo().directory().parent_path() / "left.git";
  make_directory(directory / "refs" / "pushrod" / "keep");
  const auto made = Repository::create(directory, "/hooks", Settings{});
  EXPECT_TRUE(is_directory(made.directory() / "objects"));
}

TEST_F(RepositoryTest, OpeningWhatIsNoRepositoryIsAnErrorThatNamesIt) {
  EXPECT_NE(what_is_thrown<Error>([&] { Repository(root_ / "nothing.git"); }).find("nothing.git"), std::string::npos);
  EXPECT_THROW(Repository{root_}, Error);
}

TEST_F(RepositoryTest, ReadsABranchWhetherLoosePackedOrSymbolic) {
  const CommitId one = commit_files({{"a", "1"}});
  EXPECT_EQ(repo().head_of(kMain), std::nullopt);
  repo().move_branch(kMain, one, std::nullopt);
  EXPECT_EQ(repo().head_of(kMain), one);
  git({"pack-refs", "--all"});
  ASSERT_FALSE(is_plain_file(repo().directory() / "refs/heads/main"));
  EXPECT_EQ(repo().head_of(kMain), one);
  git({"symbolic-ref", "refs/heads/alias", "refs/heads/main"});
  EXPECT_EQ(repo().head_of(BranchName::parse("alias")), one);
}

TEST_F(RepositoryTest, DoesNotMistakeOneBranchForAnother) {
  const CommitId one = commit_files({{"a", "1"}});
  // Each of these would answer for refs/heads/main if a name were guessed or matched as a prefix.
  for (const char* ref : {"refs/heads/main/deeper", "refs/heads/refs/heads/main", "refs/tags/refs/heads/main",
                          "refs/heads/mainly", "refs/tags/main"}) {
    git({"update-ref", ref, one.str()});
  }
  EXPECT_EQ(repo().head_of(kMain), std::nullopt);
  EXPECT_EQ(repo().head_of(BranchName::parse("mainly")), one);
  git({"pack-refs", "--all"});
  EXPECT_EQ(repo().head_of(kMain), std::nullopt);
  EXPECT_EQ(repo().head_of(BranchName::parse("refs/heads/main")), one);
}

TEST_F(RepositoryTest, ABranchWhoseFileIsDestroyedIsNotTakenForAbsent) {
  repo().move_branch(kMain, commit_files({{"a", "1"}}), std::nullopt);
  write_file(repo().directory() / "refs/heads/main", "");
  EXPECT_NE(what_is_thrown<Error>([&] { repo().head_of(kMain); }).find("broken"), std::string::npos);
}

TEST_F(RepositoryTest, AnswersQuestionsOfHistory) {
  const CommitId one = commit_files({{"a", "1"}});
  const CommitId two = commit_files({{"a", "2"}}, {one});
  const CommitId other = commit_files({{"a", "3"}});
  EXPECT_TRUE(repo().is_ancestor(one, two));
  EXPECT_FALSE(repo().is_ancestor(two, one));
  EXPECT_FALSE(repo().is_ancestor(one, other));
  const CommitId missing = CommitId::parse(std::string(40, 'a'));
  EXPECT_THROW(repo().is_ancestor(missing, two), Error);
  EXPECT_TRUE(repo().is_commit(one));
  EXPECT_FALSE(repo().is_commit(missing));
  EXPECT_FALSE(repo().is_commit(CommitId::parse(git({"rev-parse", one.str() + "^{tree}"}))));
}

TEST_F(RepositoryTest, GivesTheSubjectRawAndNotMoreOfIt) {
  const std::string empty = tree({});
  EXPECT_EQ(repo().subject(commit(empty, {}, "\x1b[31mred\n\nbody")), "\x1b[31mred");
  EXPECT_EQ(repo().subject(commit(empty, {}, "%s --format=%H")), "%s --format=%H");
  // Longer than a command line may be.
  const std::string long_message = std::string(3'000'000, 'x');
  const CommitId longest = CommitId::parse(git({"commit-tree", empty, "-F", "-"}, long_message));
  EXPECT_EQ(repo().subject(longest), std::string(1024, 'x'));
  EXPECT_THROW(repo().subject(CommitId::parse(std::string(40, 'b'))), Error);
}

TEST_F(RepositoryTest, HeadFollowsTheFirstBranchThatExists) {
  const CommitId one = commit_files({{"a", "1"}});
  const BranchName trunk = BranchName::parse("trunk");
  repo().move_branch(trunk, one, std::nullopt);
  repo().set_default_branch(trunk);
  EXPECT_EQ(git({"symbolic-ref", "HEAD"}), "refs/heads/trunk");
  repo().move_branch(kMain, one, std::nullopt);
  repo().set_default_branch(kMain);
  EXPECT_EQ(git({"symbolic-ref", "HEAD"}), "refs/heads/trunk");
}

TEST_F(RepositoryTest, CollectsGarbageThoughPushesNeverDo) {
  const CommitId one = commit_files({{"a", "1"}});
  repo().move_branch(kMain, one, std::nullopt);
  const fs::path old = repo().directory() / "objects/tmp_objdir-incoming-old";
  const fs::path young = repo().directory() / "objects/tmp_objdir-incoming-young";
  make_directory(old / "pack");
  make_directory(young / "pack");
  const timespec two_days_ago[2] = {{time(nullptr) - 172'800, 0}, {time(nullptr) - 172'800, 0}};
  ASSERT_EQ(utimensat(AT_FDCWD, old.c_str(), two_days_ago, 0), 0);
  // More packs than gc.autoPackLimit, which is 50.
  for (int at = 0; at < 51; ++at) {
    git({"-c", "fastimport.unpackLimit=0", "fast-import", "--quiet"},
        "blob\ndata <<.\n" + std::to_string(at) + "\n.\n");
  }
  const auto packs = [&] {
    const auto names = list_directory(repo().directory() / "objects/pack");
    return std::count_if(names.begin(), names.end(), [](const std::string& name) { return name.ends_with(".pack"); });
  };
  ASSERT_EQ(packs(), 51);
  repo().collect_garbage();
  EXPECT_FALSE(is_directory(old));
  EXPECT_TRUE(is_directory(young));
  EXPECT_LE(packs(), 2);
  EXPECT_TRUE(repo().is_commit(one));
}

TEST(GitEnvironment, HasNothingOfOursThatSteersGit) {
  ASSERT_EQ(setenv("GIT_DIR", "/elsewhere", 1), 0);
  ASSERT_EQ(setenv("GIT_CONFIG_PARAMETERS", "'core.hooksPath=/x'", 1), 0);
  ASSERT_EQ(setenv("GIT_QUARANTINE_PATH", "/q", 1), 0);
  ASSERT_EQ(setenv("GIT_OBJECT_DIRECTORY", "/o", 1), 0);
  const Environment plain = git_environment();
  const Environment quarantined = git_environment(true);
  for (const char* name : {"GIT_DIR", "GIT_CONFIG_PARAMETERS", "GIT_QUARANTINE_PATH", "GIT_OBJECT_DIRECTORY"}) {
    unsetenv(name);
    EXPECT_FALSE(plain.contains(name)) << name;
  }
  EXPECT_EQ(plain.at("GIT_CONFIG_GLOBAL"), "/dev/null");
  EXPECT_EQ(plain.at("GIT_CONFIG_NOSYSTEM"), "1");
  EXPECT_EQ(plain.at("GIT_TERMINAL_PROMPT"), "0");
  EXPECT_FALSE(quarantined.contains("GIT_DIR"));
  EXPECT_EQ(quarantined.at("GIT_QUARANTINE_PATH"), "/q");
  EXPECT_EQ(quarantined.at("GIT_OBJECT_DIRECTORY"), "/o");
}

TEST(GitService, IsConfinedAndRefusesFilesLargerThanItsMemory) {
  const auto push = git_service_command(GitService::ReceivePack, "/srv/repos/a.git", 512u << 20, {}, "");
  EXPECT_EQ(push.confinement.memory, 496u << 20);
  EXPECT_TRUE(push.confinement.ends_first);
  EXPECT_EQ(push.environment.at("GIT_CONFIG_KEY_0"), "core.bigFileThreshold");
  EXPECT_EQ(push.environment.at("GIT_CONFIG_VALUE_0"), "4194304g");
  const auto fetch = git_service_command(GitService::UploadPack, "/srv/repos/a.git", 512u << 20, {}, "");
  EXPECT_EQ(fetch.confinement.memory, 496u << 20);
  EXPECT_TRUE(fetch.confinement.ends_first);
  EXPECT_EQ(fetch.environment.at("GIT_CONFIG_KEY_0"), "pack.threads");
}

TEST(GitService, PassesOnOnlyProtocolVersionsThatServeWhatRefsReach) {
  const auto command = [](GitService service, const std::string& protocol) {
    return git_service_command(service, "/srv/repos/a.git", 64u << 20, {{"PUSHROD_KEY_ID", "3"}}, protocol);
  };
  EXPECT_EQ(command(GitService::ReceivePack, "version=2").argv,
            (std::vector<std::string>{"git", "receive-pack", "--", "/srv/repos/a.git"}));
  EXPECT_EQ(command(GitService::UploadPack, "").argv.back(), "/srv/repos/a.git");
  EXPECT_EQ(command(GitService::UploadPack, "version=1").environment.at("GIT_PROTOCOL"), "version=1");
  EXPECT_EQ(command(GitService::UploadPack, "version=1").environment.at("PUSHROD_KEY_ID"), "3");
  for (const char* refused :
       {"", "version=2", "version=3", "version=2:x", "version=2\nversion=1", " version=2", "evil"}) {
    EXPECT_FALSE(command(GitService::UploadPack, refused).environment.contains("GIT_PROTOCOL")) << refused;
  }
}

}  // namespace

}  // namespace pushrod
