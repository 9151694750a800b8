// Pushes that must not get in, with the real git through our configuration and our protocol.
#include <cstdlib>

#include "base/text.hh"
#include "hooks.hh"

namespace pushrod {

namespace {

using namespace std::string_literals;

TEST_F(HooksTest, WhatIsNoBranchGetsNowhere) {
  for (const char* ref : {"refs/foo/bar", "refs/pushrod/x"}) {
    EXPECT_FALSE(push({"main:"s + ref}).ok()) << ref;
  }
  EXPECT_EQ(git({"for-each-ref"}), "");
  EXPECT_EQ(record(), "(none)");
}

// Lines 9 and 12 of the faults: refused while the objects are in quarantine, and gone with it.
TEST_F(HooksTest, ARefusedTreeLeavesNoObjectBehind) {
  const std::size_t before = objects();
  in_work({"update-index", "--add", "--cacheinfo", "160000," + one_->str() + ",lib"});
  in_work({"commit", "--quiet", "-m", "submodule"});
  const CommandResult result = push({"main"});
  EXPECT_FALSE(result.ok());
  EXPECT_NE(result.out.find("\"lib\" is a git repository inside"), std::string::npos) << result.out;
  EXPECT_EQ(objects(), before);
  for (const std::string& name : list_directory(repo().directory() / "objects")) {
    EXPECT_FALSE(name.starts_with("tmp_objdir")) << name;
  }
}

TEST_F(HooksTest, ThreeObjectsThatNameAThousandMillionPathsLeaveNothing) {
  const std::size_t before = objects();
  std::string object = in_work({"rev-parse", "HEAD:file"});
  for (int level = 0; level < 9; ++level) {
    std::string text;
    for (int at = 0; at < 10; ++at) {
      text += (level == 0 ? "100644 blob " : "040000 tree ") + object + "\td" + std::to_string(at) + "\n";
    }
    object = run_checked(command({"-C", work_.string(), "mktree"}, text));
    object.pop_back();
  }
  const std::string bomb = in_work({"commit-tree", object, "-m", "bomb"});
  const CommandResult result = push({bomb + ":refs/heads/main"});
  EXPECT_FALSE(result.ok());
  EXPECT_NE(result.out.find("more than 1000 files"), std::string::npos) << result.out;
  EXPECT_EQ(objects(), before);
}

TEST_F(HooksTest, FsckRefusesDangerousTreesBeforeAnyHook) {
  const auto push_tree = [&](const std::string& line) {
    // Bytes that git itself would not make.
    std::string object = line + '\0';
    const std::string blob_id = in_work({"rev-parse", "HEAD:file"});
    for (std::size_t at = 0; at < 40; at += 2) {
      object += static_cast<char>(std::stoi(blob_id.substr(at, 2), nullptr, 16));
    }
    std::string tree_id = run_checked(
        command({"-C", work_.string(), "hash-object", "-w", "-t", "tree", "--literally", "--stdin"}, object));
    tree_id.pop_back();
    const std::string commit_id = in_work({"commit-tree", tree_id, "-m", "x"});
    return push({commit_id + ":refs/heads/main"});
  };
  for (const char* line : {"100644 .git", "100644 .GIT", "100644 ..", "120000 .gitmodules", "100644 a/b"}) {
    const CommandResult result = push_tree(line);
    EXPECT_FALSE(result.ok()) << line << result.out;
    EXPECT_EQ(record(), "(none)") << line;
  }
  // What old tools wrote by mistake is no danger.
  const CommandResult result = push_tree("0100644 old");
  EXPECT_TRUE(result.ok()) << result.out;
}

TEST_F(HooksTest, AnOldProjectWithMistakesInItsCommitsCanBePushed) {
  const std::string tree_id = in_work({"rev-parse", "HEAD^{tree}"});
  for (const char* author : {"A <a@b> 1 +051800", "A <a@b>1 +0000", "A a@b> 1 +0000", "A<a@b> 1 +0000",
                             "A <a@b> 01 +0000", "<a@b> 1 +0000"}) {
    const std::string text = "tree " + tree_id + "\nauthor " + author + "\ncommitter A <a@b> 1 +0000\n\nold\n";
    std::string id = run_checked(
        command({"-C", work_.string(), "hash-object", "-w", "-t", "commit", "--literally", "--stdin"}, text));
    id.pop_back();
    const CommandResult result = push({"--force", id + ":refs/heads/main"});
    EXPECT_TRUE(result.ok()) << author << "\n" << result.out;
  }
}

TEST_F(HooksTest, APackThatIsTooLargeIsRefused) {
  settings_.push_bytes = 10'000;
  repo().configure(hooks_, settings_);
  std::string noise;
  for (unsigned state = 1; noise.size() < 100'000;)
    noise += static_cast<char>((state = state * 1103515245 + 12345) >> 16);
  commit_work(noise);
  const CommandResult result = push({"main"});
  EXPECT_FALSE(result.ok());
  EXPECT_EQ(head("main"), std::nullopt);
}

TEST_F(HooksTest, ABranchWhoseLockWasLeftBehindTakesTheNextPush) {
  ASSERT_TRUE(push({"main"}).ok());
  const fs::path lock = repo().directory() / "refs/heads/main.lock";
  write_file(lock, "");
  fs::last_write_time(lock, fs::file_time_type::clock::now() - std::chrono::hours(1));
  const auto two = commit_work("two");
  const CommandResult result = push({"main"});
  EXPECT_TRUE(result.ok()) << result.out;
  EXPECT_EQ(head("main"), two);
}

// A client from before report-status-v2 (git 2.29), spoken by hand.
TEST_F(HooksTest, AnOldClientGetsTheOldReport) {
  const std::string pack =
      run_checked(command({"-C", work_.string(), "pack-objects", "--revs", "--stdout", "-q"}, "HEAD\n"));
  const auto speak = [&](const std::string& capabilities) {
    Command service = git_service_command(GitService::ReceivePack, repo().directory(), settings_.push_memory, {}, "");
    service.confinement = {};  // sanitizers need more memory than a push may have
    service.input =
        pkt_line(std::string(40, '0') + " " + one_->str() + " refs/heads/main" + '\0' + capabilities) + "0000" + pack;
    return run(service);
  };
  refuse("refs/heads/main", "no luck");
  const CommandResult refused = speak("report-status");
  EXPECT_NE(refused.out.find(pkt_line("ng refs/heads/main no luck\n")), std::string::npos) << refused.out;
  remove_file(root_ / "refuse");
  const CommandResult done = speak("report-status");
  EXPECT_NE(done.out.find(pkt_line("ok refs/heads/main\n")), std::string::npos) << done.out;
  EXPECT_EQ(head("main"), one_);
}

// Line 16 of the faults, at git's own door.
TEST_F(HooksTest, GarbageFromAClientEndsCleanly) {
  const std::string zero(40, '0');
  for (const std::string& text :
       {"garbage"s, "zzzz"s, "ffff"s, "0004"s, pkt_line(zero + " " + zero + " refs/heads/main"),
        pkt_line(zero + " " + one_->str() + " refs/heads/main"s + '\0' + "report-status") + "0000" + "PACKgarbage",
        "fff0" + std::string(65'516, 'x') + "0000"}) {
    Command service = git_service_command(GitService::ReceivePack, repo().directory(), settings_.push_memory, {}, "");
    service.input = text;
    const CommandResult result = run(service);
    EXPECT_EQ(result.end, CommandResult::End::Exited) << text.substr(0, 40);
    EXPECT_EQ(record(), "(none)");
    EXPECT_EQ(head("main"), std::nullopt);
  }
  EXPECT_TRUE(push({"main"}).ok());
}

}  // namespace

}  // namespace pushrod
