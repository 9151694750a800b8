// Pushes with the real git through our configuration and our protocol; this program is the hooks.
// Integration of git/: repository, service command, tree check and protocol. When git runs it under the name of a hook
// it does what deploy/ does in small: pre-receive checks the tree, proc-receive moves the branches and reports.
#include <unistd.h>

#include <cstdlib>
#include <iostream>

#include "base/text.hh"
#include "git/protocol.hh"
#include "git/pushed.hh"
#include "git/tree_check.hh"
#include "hooks.hh"

namespace pushrod {

namespace {

using namespace std::string_literals;

// Lines "<ref> <reason>" in the file "refuse" beside the repository.
std::string reason_for(const fs::path& root, const std::string& ref) {
  for (const std::string& line : lines_of(read_file(root / "refuse").value_or("\n"))) {
    if (line.starts_with(ref + " ")) return line.substr(ref.size() + 1);
  }
  return "";
}

void act_as_pre_receive(const Repository& repository, const fs::path& root) {
  Settings limits;
  limits.tree_entries = 1000;
  for (const RefCommand& command : read_pre_receive(STDIN_FILENO)) {
    const bool wanted = command.ref.starts_with("refs/heads/") || command.ref.starts_with("refs/tags/");
    if (!wanted) throw UserError("only branches and tags are taken");
    if (command.ref.starts_with("refs/tags/")) continue;
    if (command.after && lacks_history(repository, *command.after)) throw UserError("cut off");
    if (command.after) check_tree(repository, *command.after, limits, true);
  }
  std::string record;
  for (const std::string& option : push_options_from_environment()) record += option + "\n";
  write_file(root / "pre-receive.options", record);
}

void act_as_proc_receive(const Repository& repository, const fs::path& root) {
  const ProcReceiveRequest request = read_proc_receive(STDIN_FILENO, STDOUT_FILENO);
  std::string record = request.atomic ? "atomic\n" : "";
  for (const std::string& option : request.push_options) record += "option " + option + "\n";
  bool any_refused = false;
  for (const RefCommand& command : request.commands) any_refused |= !reason_for(root, command.ref).empty();
  std::vector<RefReport> reports;
  for (const RefCommand& command : request.commands) {
    record += command.ref + "\n";
    RefReport report{command.ref, reason_for(root, command.ref)};
    if (report.refusal.empty() && request.atomic && any_refused) report.refusal = "another branch was refused";
    if (report.refusal.empty() && command.ref.starts_with("refs/tags/")) {
      report.left_to_git = true;
      reports.push_back(std::move(report));
      continue;
    }
    const BranchName branch = BranchName::parse(command.ref.substr(std::string_view("refs/heads/").size()));
    if (report.refusal.empty() && command.after) repository.move_branch(branch, *command.after, command.before);
    if (report.refusal.empty() && !command.after) repository.delete_branch(branch, command.before);
    reports.push_back(std::move(report));
  }
  write_file(root / "record", record);
  std::cerr << "-----> deployed\n";
  if (!write_proc_receive_report(STDOUT_FILENO, reports)) write_file(root / "nobody", "");
}

int act_as_hook(const std::string& name) {
  try {
    // git runs its hooks in the repository.
    const Repository repository(fs::current_path());
    const fs::path root = repository.directory().parent_path();
    name == "pre-receive" ? act_as_pre_receive(repository, root) : act_as_proc_receive(repository, root);
    return 0;
  } catch (const Error& error) {
    std::cerr << error.message() << "\n";
    return 1;
  }
}

TEST_F(HooksTest, APushMovesTheBranchThroughTheHookAlone) {
  const CommandResult result = push({"main"});
  EXPECT_TRUE(result.ok()) << result.out;
  EXPECT_NE(result.out.find("remote: -----> deployed"), std::string::npos) << result.out;
  EXPECT_EQ(head("main"), one_);
  EXPECT_EQ(record(), "refs/heads/main\n");
  const auto two = commit_work("two");
  EXPECT_TRUE(push({"main"}).ok());
  EXPECT_EQ(head("main"), two);
  EXPECT_TRUE(push({"--force", one_->str() + ":refs/heads/main"}).ok());
  EXPECT_EQ(head("main"), one_);
}

TEST_F(HooksTest, ARefusalReachesThePusherWithItsReason) {
  refuse("refs/heads/main", "build failed: exit code 3");
  const CommandResult result = push({"main"});
  EXPECT_FALSE(result.ok());
  EXPECT_NE(result.out.find("[remote rejected] main -> main (build failed: exit code 3)"), std::string::npos)
      << result.out;
  EXPECT_EQ(head("main"), std::nullopt);
}

TEST_F(HooksTest, OfTwoBranchesOneMayBeRefused) {
  in_work({"branch", "other"});
  refuse("refs/heads/other", "unhealthy");
  const CommandResult result = push({"main", "other"});
  EXPECT_FALSE(result.ok());
  EXPECT_NE(result.out.find("main -> main\n"), std::string::npos) << result.out;
  EXPECT_NE(result.out.find("other -> other (unhealthy)"), std::string::npos) << result.out;
  EXPECT_EQ(head("main"), one_);
  EXPECT_EQ(head("other"), std::nullopt);
}

TEST_F(HooksTest, AnAtomicPushSaysSo) {
  in_work({"branch", "other"});
  refuse("refs/heads/other", "unhealthy");
  EXPECT_FALSE(push({"--atomic", "main", "other"}).ok());
  EXPECT_TRUE(record().starts_with("atomic\n")) << record();
  EXPECT_EQ(head("main"), std::nullopt);
  remove_file(root_ / "refuse");
  EXPECT_TRUE(push({"--atomic", "main", "other"}).ok());
  EXPECT_EQ(head("other"), one_);
}

TEST_F(HooksTest, DeletingABranchGoesThroughTheHookToo) {
  ASSERT_TRUE(push({"main"}).ok());
  refuse("refs/heads/main", "confirm with -o delete");
  const CommandResult refused = push({":main"});
  EXPECT_FALSE(refused.ok());
  EXPECT_NE(refused.out.find("(confirm with -o delete)"), std::string::npos) << refused.out;
  EXPECT_EQ(head("main"), one_);
  remove_file(root_ / "refuse");
  EXPECT_TRUE(push({":main"}).ok());
  EXPECT_EQ(head("main"), std::nullopt);
}

// Line 8 of the faults.
TEST_F(HooksTest, PushOptionsArriveVerbatimOrNotAtAll) {
  EXPECT_TRUE(push({"-o", "a;b $(id)", "-o", "delete", "main"}).ok());
  EXPECT_EQ(record(), "option a;b $(id)\noption delete\nrefs/heads/main\n");
  EXPECT_EQ(read_file(root_ / "pre-receive.options"), "a;b $(id)\ndelete\n");
  commit_work("two");
  const CommandResult crooked = push({"-o", "a\tb", "main"});
  EXPECT_FALSE(crooked.ok());
  EXPECT_NE(crooked.out.find("control character"), std::string::npos) << crooked.out;
  std::vector<std::string> many = {"main"};
  for (int at = 0; at < 10'000; ++at) many.insert(many.begin(), {"-o", "x"});
  EXPECT_FALSE(push(many).ok());
  EXPECT_EQ(head("main"), one_);
}

// Line 6 of the faults.
TEST_F(HooksTest, BranchNamesArriveVerbatim) {
  for (const char* name : {"a;id", "$(id)", "a'b", "ünï/x", "refs/heads/y"}) {
    const CommandResult result = push({"main:refs/heads/"s + name});
    EXPECT_TRUE(result.ok()) << result.out;
    EXPECT_EQ(record(), "refs/heads/"s + name + "\n");
    EXPECT_EQ(head(name), one_);
  }
}

TEST_F(HooksTest, GitStoresTheTagsThatAreLeftToItAndServesThem) {
  in_work({"tag", "-a", "v1", "-m", "one"});
  EXPECT_TRUE(push({"main", "v1"}).ok());
  EXPECT_EQ(record(), "refs/heads/main\nrefs/tags/v1\n");
  EXPECT_EQ(head("main"), one_);
  EXPECT_EQ(git({"rev-parse", "v1"}), in_work({"rev-parse", "v1"}));
  run_checked(command({"clone", "--quiet", repo().directory().string(), (root_ / "clone").string()}));
  EXPECT_EQ(run_checked(command({"-C", (root_ / "clone").string(), "tag"})), "v1\n");
  commit_work("two");
  refuse("refs/heads/main", "unhealthy");
  in_work({"tag", "v2"});
  const CommandResult mixed = push({"main", "v2", ":v1"});
  EXPECT_FALSE(mixed.ok());
  EXPECT_NE(mixed.out.find("main -> main (unhealthy)"), std::string::npos) << mixed.out;
  EXPECT_EQ(git({"tag"}), "v2");
}

TEST_F(HooksTest, APushFromAShallowCloneIsRecognised) {
  commit_work("two");
  const fs::path shallow = root_ / "shallow";
  run_checked(command({"clone", "--quiet", "--depth=1", "file://" + work_.string(), shallow.string()}));
  const auto push_shallow = [&] {
    Command pushing = command(
        {"-C", shallow.string(), "push", "--receive-pack=" + served().string(), repo().directory().string(), "+main"});
    pushing.merge_output = true;
    return run(pushing);
  };
  const CommandResult refused = push_shallow();
  EXPECT_FALSE(refused.ok());
  EXPECT_NE(refused.out.find("remote: cut off"), std::string::npos) << refused.out;
  ASSERT_TRUE(push({"main~1:refs/heads/main"}).ok());
  const CommandResult forced = push_shallow();
  EXPECT_NE(forced.out.find("remote: cut off"), std::string::npos) << "git refuses that, too: " << forced.out;
  ASSERT_TRUE(push({"main"}).ok());
  write_file(shallow / "file", "four");
  run_checked(command({"-C", shallow.string(), "commit", "--quiet", "-a", "-m", "four"}));
  const CommandResult complete = push_shallow();
  EXPECT_TRUE(complete.ok()) << "its history is here: " << complete.out;
}

TEST_F(HooksTest, WhatWasPushedCanBeFetchedAndNothingElse) {
  ASSERT_TRUE(push({"main"}).ok());
  git({"update-ref", "refs/pushrod/hidden", one_->str()});
  git({"update-ref", "refs/other/hidden", one_->str()});
  for (const char* protocol : {"", "version=2"}) {
    Command service =
        git_service_command(GitService::UploadPack, repo().directory(), settings_.push_memory, {}, protocol);
    service.input = "0000";
    const CommandResult result = run(service);
    EXPECT_TRUE(result.ok()) << result.err;
    EXPECT_NE(result.out.find("refs/heads/main"), std::string::npos) << result.out;
    EXPECT_NE(result.out.find(" HEAD"), std::string::npos) << result.out;
    EXPECT_EQ(result.out.find("hidden"), std::string::npos) << result.out;
  }
  run_checked(command({"clone", "--quiet", repo().directory().string(), (root_ / "clone").string()}));
  EXPECT_EQ(read_file(root_ / "clone/file"), "one");
}

}  // namespace

}  // namespace pushrod

// git starts a hook by its path; any other name is the test program itself.
int main(int argc, char** argv) {
  const std::string name = std::filesystem::path(argc > 0 ? argv[0] : "").filename();
  if (name == "pre-receive" || name == "proc-receive") return pushrod::act_as_hook(name);
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
