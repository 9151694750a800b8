// The gate: who may ask for what, and that each connection leaves one line.
#include "gate/gate.hh"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>

#include "../cli/in_root.hh"
#include "base/text.hh"

namespace pushrod {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::MatchesRegex;
using testing::Not;

class Gate : public InRoot {
 protected:
  Gate() {
    add_app("blog", "site");
    add_app("shop", "store");
    setenv("SSH_CONNECTION", "192.0.2.7 50000 192.0.2.1 22", 1);
  }
  ~Gate() override {
    unsetenv("SSH_CONNECTION");
    unsetenv("SSH_ORIGINAL_COMMAND");
  }
  std::string ask(const std::string& command, const Caller& caller) {
    setenv("SSH_ORIGINAL_COMMAND", command.c_str(), 1);
    return refusal<UserError>([&] { gate(layout_.root(), caller.key->id); });
  }
  std::string log() { return read_file(layout_.service_log("gate.log")).value_or(""); }
};

TEST_F(Gate, ARemovedKeyGetsNoFurther) {
  auto gone = key("ann");
  Store(layout_.database()).remove_key(gone.key->name);
  EXPECT_EQ(ask("app list", gone), "this key has been removed | ask an administrator of this machine");
  EXPECT_THAT(log(),
              HasSubstr(" key=removed:1 from=\"192.0.2.7\" asked=\"app list\" refused: this key has been removed\n"));
}

TEST_F(Gate, ForbiddenAndMissingReposLookTheSame) {
  const auto ann = key("ann", {"shop"});
  EXPECT_EQ(ask("git-receive-pack 'site'", ann),
            "there is no repo \"site\" | `repo list` shows those that you may use");
  EXPECT_EQ(ask("git-receive-pack 'none'", ann),
            "there is no repo \"none\" | `repo list` shows those that you may use");
  EXPECT_EQ(ask("git-upload-pack '/site.git'", ann),
            "there is no repo \"site\" | `repo list` shows those that you may use");
  EXPECT_EQ(ask("git-upload-pack 'none'", key("bob")),
            "there is no repo \"none\" | `repo list` shows those that you may use");
}

TEST_F(Gate, NoPathComesFromTheOtherSide) {
  const auto bob = key("bob");
  for (const auto* path : {"../site", "site/../site", "/etc", "a b", "SITE", ""}) {
    EXPECT_THAT(ask(std::string("git-receive-pack '") + path + "'", bob), Not(HasSubstr("nothing thrown"))) << path;
  }
}

TEST_F(Gate, OnlyGitAndPushrodsCommandsAreRun) {
  const auto bob = key("bob");
  for (const auto* command : {"", "sh", "ls; app list", "git-shell -c x", "git-upload-archive 'site'", "up", "serve",
                              "gate --key 1", "app list\napp list"}) {
    EXPECT_THAT(ask(command, bob), Not(HasSubstr("nothing thrown"))) << command;
  }
}

TEST_F(Gate, AVerbIsRunWithTheRightsOfTheKey) {
  const auto ann = key("ann", {"shop"});
  setenv("SSH_ORIGINAL_COMMAND", "app list", 1);
  testing::internal::CaptureStdout();
  EXPECT_EQ(gate(layout_.root(), ann.key->id), kExitOk);
  const auto text = testing::internal::GetCapturedStdout();
  EXPECT_THAT(text, HasSubstr("shop"));
  EXPECT_THAT(text, Not(HasSubstr("blog")));
  EXPECT_THAT(log(), MatchesRegex("[-0-9]+ [:0-9]+ key=ann from=\"192.0.2.7\" asked=\"app list\" accepted\n"));
}

TEST_F(Gate, EveryRequestIsOneLineInTheLog) {
  const auto bob = key("bob");
  ask("app\n2026-01-01 00:00:00 key=root asked=forged accepted", bob);
  ask("\x1b[2J" + std::string(100'000, 'x'), bob);
  const auto text = log();
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 2);
  EXPECT_THAT(text, Not(HasSubstr("\x1b")));
  EXPECT_LT(text.size(), 3000U);
}

TEST_F(Gate, NoValueOfASettingAndNoArgumentOfAProgramReachesTheLog) {
  const auto bob = key("bob");
  for (const std::string command :
       {"config set blog PASSWORD=hunter2", "config set blog \"PASSWORD=hunter2's", "config set blog 'A=it'hunter2'",
        "config set blog A=x\nhunter2", "config set blog PASSWORD hunter2", "config set blog hunter2\x01",
        "config  set\tblog\nhunter2", "'config' set blog hunter2", "confg set blog hunter2", "set blog A=hunter2",
        "run blog -- psql postgres://u:hunter2@h", "run blog curl 'hunter2", "run blog\nhunter2", "rum blog hunter2",
        "app list \xff A=hunter2"}) {
    ask(command, bob);
    EXPECT_THAT(log(), Not(HasSubstr("hunter2"))) << command;
  }
  const auto lines = lines_of(log());
  EXPECT_THAT(lines[0], EndsWith(R"(asked="config set blog [redacted]" accepted)"));
  EXPECT_THAT(lines[1], EndsWith(R"(asked="config set blog [redacted]" refused)"));
  EXPECT_THAT(log(), HasSubstr(R"(asked="set blog A=[redacted]" accepted)"));
  EXPECT_THAT(log(), HasSubstr(R"(asked="run blog [redacted]" accepted)"));
  ask("cron run blog 'nightly", bob);
  EXPECT_THAT(log(), HasSubstr("asked=\"cron run blog 'nightly\" refused: the command has a quote that is not closed"));
}

TEST_F(Gate, AFullDiskLocksNoClientOut) {
  const auto ann = key("ann", {"shop"});
  make_directory(layout_.service_log(""));
  fs::create_symlink("/dev/full", layout_.service_log("gate.log"));
  setenv("SSH_ORIGINAL_COMMAND", "app list", 1);
  testing::internal::CaptureStdout();
  testing::internal::CaptureStderr();
  EXPECT_EQ(gate(layout_.root(), ann.key->id), kExitOk);
  EXPECT_THAT(testing::internal::GetCapturedStdout(), HasSubstr("shop"));
  EXPECT_THAT(testing::internal::GetCapturedStderr(), HasSubstr("No space left on device"));
}

TEST_F(Gate, ALongLogIsRotatedOnceByManyConnections) {
  const auto bob = key("bob");
  const auto file = layout_.service_log("gate.log");
  make_directory(file.parent_path());
  write_file(file, std::string((1 << 20) + 1, 'x'), 0600, false);
  ask("sh", bob);
  ask("sh", bob);
  EXPECT_EQ(fs::file_size(file.string() + ".1"), (1U << 20) + 1);
  EXPECT_EQ(lines_of(log()).size(), 2U);
}

TEST_F(Gate, AnAllowedRepoIsServedByGit) {
  const auto ann = key("ann", {"shop"});
  setenv("SSH_ORIGINAL_COMMAND", "git-receive-pack '/store.git'", 1);
  const auto out = layout_.root() / "out";
  const auto child = fork();
  if (child == 0) {
    const auto file = open_file(out, O_WRONLY | O_CREAT);
    dup2(file.get(), STDOUT_FILENO);
    const auto nothing = open_file("/dev/null", O_RDONLY);
    dup2(nothing.get(), STDIN_FILENO);
    _exit(report_errors([&] { return gate(layout_.root(), ann.key->id); }));
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_THAT(read_file(out).value(), HasSubstr("capabilities^{}")) << "an empty repo's advertisement";
  EXPECT_THAT(log(), HasSubstr("accepted"));
}

}  // namespace
}  // namespace pushrod
