// The command line: what it understands from whom, and what it says of what it does not.
#include <fcntl.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "base/text.hh"
#include "cli/output.hh"
#include "in_root.hh"

namespace pushrod {
namespace {

using testing::HasSubstr;
using testing::Not;

class Grammar : public InRoot {};

TEST_F(Grammar, AMisspeltCommandIsAnsweredWithTheNearest) {
  EXPECT_EQ(misspelt({"ap", "list"}), "there is no command \"ap\" | did you mean app?");
  EXPECT_EQ(misspelt({"app", "crate", "blog"}), "there is no command \"crate\" | did you mean create?");
  EXPECT_EQ(misspelt({"deploymnets", "blog"}), "there is no command \"deploymnets\" | did you mean deployments?");
}

TEST_F(Grammar, AnUnknownCommandIsAnsweredWithThoseThatThereAre) {
  EXPECT_THAT(misspelt({"xyzzy-quux"}), HasSubstr("there is no command \"xyzzy-quux\" | known: app, "));
  EXPECT_THAT(printed({}), HasSubstr("Usage: pushrod "));
  EXPECT_EQ(misspelt({"repo"}), "a command is missing | known: list");
}

TEST_F(Grammar, WhatIsTypedIsEscapedInTheAnswer) {
  EXPECT_THAT(misspelt({"\x1b[2J\nforged"}), HasSubstr("\"\\x1b[2J\\nforged\""));
  EXPECT_THAT(misspelt({"ps", "--\x1b[2J"}), Not(HasSubstr("\x1b")));
}

TEST_F(Grammar, AMissingOrUnknownWordIsAMistakeInUsage) {
  EXPECT_THAT(misspelt({"app", "create"}), HasSubstr("NAME"));
  EXPECT_THAT(misspelt({"restart"}), HasSubstr("APP"));
  EXPECT_THAT(misspelt({"app", "list", "--nonsense"}), HasSubstr("--nonsense"));
  EXPECT_THAT(misspelt({"deployment", "blog", "many"}), Not(HasSubstr("(")));
}

TEST_F(Grammar, NumbersAreDecimalDigitsAndNothingElse) {
  add_app("blog", "site");
  for (const auto* number : {"0x10", "+3", " 3", "3 ", "", "3.0", "4294967296", "'3'"}) {
    const auto words = fmt::format("{} is not a number from 0 to 4294967295", quoted(number));
    EXPECT_THAT(misspelt({"deployment", "blog", number}), HasSubstr("N: " + words));
    EXPECT_THAT(misspelt({"rollback", "blog", number}), HasSubstr("N: " + words));
    EXPECT_THAT(misspelt({"logs", "blog", "--lines", number}), HasSubstr("--lines: " + words));
    EXPECT_THAT(misspelt({"logs", "blog", "--deployment", number}), HasSubstr("--deployment: " + words));
    EXPECT_THAT(misspelt({"deployments", "blog", "-n", number}), HasSubstr("-n: " + words));
  }
  EXPECT_THAT(refused({"deployment", "blog", "010"}), HasSubstr("has no deployment 10"));
  EXPECT_THAT(refused({"deployment", "blog", "4294967295"}), HasSubstr("has no deployment 4294967295"));
}

TEST_F(Grammar, ZeroIsNoWayToLeaveANumberOut) {
  make_live(add_app("blog", "site"));
  EXPECT_THAT(refused({"rollback", "blog", "0"}), HasSubstr("release 0 of blog is not kept"));
  EXPECT_THAT(refused({"logs", "blog", "--deployment", "0"}), HasSubstr("has no deployment 0"));
}

TEST_F(Grammar, MistakesInUsageAreExplained) {
  add_app("blog", "site");
  EXPECT_EQ(misspelt({"--versoin"}), "there is no option \"--versoin\" | did you mean --version?");
  EXPECT_EQ(misspelt({"app", "create", "--bogus"}), "there is no option \"--bogus\" | see: pushrod app create --help");
  EXPECT_EQ(misspelt({"app", "list", "-x5"}), "there is no option \"-x5\" | see: pushrod app list --help");
  EXPECT_EQ(misspelt({"app", "create"}), "NAME is missing | see: pushrod app create --help");
  EXPECT_EQ(misspelt({"app", "info", "blog", "shop"}), "\"shop\" is one word too many | see: pushrod app info --help");
  EXPECT_EQ(misspelt({"key", "add", "ann", "--role"}), "--role needs a value | see: pushrod key add --help");
  EXPECT_EQ(misspelt({"key", "set", "ann", "--app", "blog", "--all-apps"}),
            "--app and --all-apps cannot both be given | see: pushrod key set --help");
}

TEST_F(Grammar, HelpIsPrintedOnRequest) {
  const auto all = printed({"help"});
  EXPECT_THAT(all, HasSubstr("Usage: pushrod [OPTIONS] COMMAND"));
  EXPECT_EQ(printed({}), all);
  EXPECT_EQ(printed({"--help"}), all);
  EXPECT_THAT(printed({"help", "key"}), HasSubstr("remove a key"));
  const auto one = printed({"help", "key", "set"});
  EXPECT_THAT(one, HasSubstr("Usage: pushrod key set [OPTIONS] KEY"));
  EXPECT_THAT(one, HasSubstr("--role ROLE"));
  EXPECT_EQ(printed({"key", "set", "--help"}), one);
  EXPECT_THAT(misspelt({"help", "serve"}), HasSubstr("there is no command \"serve\""));
}

// CLI11 2.4 allows no "=" in the names of positionals.
TEST_F(Grammar, NamesOfPositionalsMayContainAnEqualsSign) {
  const auto set = printed({"config", "set", "--help"});
  EXPECT_THAT(set, HasSubstr("Usage: pushrod config set [OPTIONS] APP [NAME=VALUE...]"));
  EXPECT_THAT(set, HasSubstr("\n  NAME=VALUE "));
  EXPECT_THAT(printed({"scale", "--help"}), HasSubstr("Usage: pushrod scale [OPTIONS] APP [TYPE=NUMBER...]"));
}

TEST_F(Grammar, WhatOnlyTheOperatorMayCallIsUnknownToAKey) {
  for (const auto* word : {"up", "serve", "gate"}) {
    EXPECT_THAT(misspelt({word}), HasSubstr("there is no command")) << word;
    EXPECT_THAT(misspelt({word}), Not(HasSubstr("did you mean up"))) << word;
  }
  EXPECT_THAT(misspelt({"--root", "/", "app", "list"}), Not(HasSubstr("nothing thrown")));
  EXPECT_THAT(misspelt({"--user", "root", "app", "list"}), Not(HasSubstr("nothing thrown")));
}

TEST_F(Grammar, HelpNamesOnlyWhatTheCallerMayCall) {
  const auto help = printed({"--help"});
  EXPECT_THAT(help, HasSubstr("restart"));
  EXPECT_THAT(help, Not(HasSubstr("--root")));
  EXPECT_THAT(help, Not(HasSubstr("serve")));
  EXPECT_THAT(printed({"app", "create", "--help"}), HasSubstr("its directory in the repo"));
  EXPECT_THAT(printed({"--version"}), HasSubstr("pushrod "));
}

TEST_F(Grammar, AnAppThatIsNotThereIsAnsweredWithTheNearest) {
  add_app("blog", "site");
  EXPECT_EQ(refused({"app", "info", "blgo"}), "there is no app \"blgo\" | did you mean blog?");
  EXPECT_EQ(refused({"app", "info", "zzzzzzzz"}),
            "there is no app \"zzzzzzzz\" | `app list` shows those that you may use");
}

TEST_F(Grammar, ForbiddenAndMissingAppsLookTheSame) {
  add_app("blog", "site");
  add_app("shop", "store");
  const auto ann = key("ann", {"shop"});
  for (const auto& words : std::vector<std::vector<std::string>>{{"app", "info", "blog"},
                                                                 {"restart", "blog"},
                                                                 {"redeploy", "blog"},
                                                                 {"cancel", "blog"},
                                                                 {"logs", "blog"},
                                                                 {"deployments", "blog"},
                                                                 {"deployment", "blog", "1"},
                                                                 {"ps", "blog"}}) {
    EXPECT_EQ(refused(words, ann), "there is no app \"blog\" | `app list` shows those that you may use") << words[0];
  }
  EXPECT_THAT(printed({"app", "info", "shop"}, ann), HasSubstr("release    none: not deployed"));
  EXPECT_THAT(printed({"app", "list"}, ann), Not(HasSubstr("blog")));
  EXPECT_THAT(printed({"repo", "list"}, ann), Not(HasSubstr("site")));
}

TEST_F(Grammar, WhatConcernsTheMachineNeedsAnAdministrator) {
  add_app("shop", "store");
  const auto ann = key("ann", {"shop"});
  for (const auto& words : std::vector<std::vector<std::string>>{
           {"app", "create", "new"}, {"key", "list"}, {"key", "remove", "ann"}, {"key", "add", "eve"}}) {
    EXPECT_EQ(refused(words, ann),
              "this is for administrators of this machine: keys with the role admin for all apps | ask one of them")
        << words[1];
  }
}

TEST_F(Grammar, ListsAreJsonForMachines) {
  add_app("blog", "site");
  const auto list = Json::parse(printed({"app", "list", "--json"}));
  ASSERT_EQ(list.size(), 1U);
  EXPECT_EQ(list[0]["app"], "blog");
  EXPECT_EQ(list[0]["state"], "not deployed");
  EXPECT_EQ(list[0]["release"], nullptr);
  EXPECT_EQ(Json::parse(printed({"deployments", "blog", "--json"})), Json::array());
  EXPECT_EQ(Json::parse(printed({"key", "list", "--json"})), Json::array());
}

TEST_F(Grammar, RootItselfIsNotOpenedWhenOthersCanLookIn) {
  ASSERT_EQ(chmod(layout_.root().c_str(), 0755), 0);
  EXPECT_THAT(refused({"app", "list"}), HasSubstr("is open to other users | close it: chmod 700 "));
  ASSERT_EQ(chmod(layout_.root().c_str(), 0700), 0);
  EXPECT_THAT(refusal<UserError>([] { Context("/etc", {}); }), HasSubstr("belongs to another user"));
  write_file(layout_.root() / "file", "", 0600, false);
  EXPECT_THAT(refusal<UserError>([&] { Context(layout_.root() / "file", {}); }), HasSubstr("is not a directory"));
}

// --- the edge of the program

class ReportErrors : public testing::Test {
 protected:
  // The exit code, and what standard error got.
  static std::pair<int, std::string> report(const std::function<int()>& action) {
    testing::internal::CaptureStderr();
    const int code = report_errors(action);
    return {code, testing::internal::GetCapturedStderr()};
  }
};

TEST_F(ReportErrors, EachKindHasItsExitCode) {
  EXPECT_EQ(report([] { return 3; }), std::pair(3, std::string{}));
  EXPECT_EQ(report([]() -> int { throw UsageError("what?"); }), std::pair(2, std::string("pushrod: what?\n")));
  EXPECT_EQ(report([]() -> int { throw UserError("no", "try yes"); }),
            std::pair(1, std::string("pushrod: no\n  try yes\n")));
  EXPECT_EQ(report([]() -> int { throw Error("broken"); }), std::pair(70, std::string("pushrod: broken\n")));
  EXPECT_EQ(report([]() -> int { throw SystemError("open x", ENOENT); }).first, 70);
  EXPECT_EQ(report([]() -> int { throw std::runtime_error("odd"); }),
            std::pair(70, std::string("pushrod: odd\n  this is a mistake in Pushrod\n")));
}

TEST_F(ReportErrors, OutputThatDoesNotArriveIsAnErrorIfItHasAReader) {
  // Standard output is `file` while the action prints.
  const auto report_into = [](int file) {
    const UniqueFd before(dup(STDOUT_FILENO));
    dup2(file, STDOUT_FILENO);
    const auto result = report([] {
      print("text");
      return 0;
    });
    dup2(before.get(), STDOUT_FILENO);
    return result;
  };
  EXPECT_EQ(report_into(open_file("/dev/full", O_WRONLY).get()),
            std::pair(70, std::string("pushrod: writing to standard output: No space left on device\n")));
  EXPECT_EQ(report_into(open_file("/dev/null", O_WRONLY).get()), std::pair(0, std::string{})) << "it is forgotten then";
  static_cast<void>(signal(SIGPIPE, SIG_IGN));
  int ends[2] = {};
  ASSERT_EQ(pipe(ends), 0);
  close(ends[0]);
  EXPECT_EQ(report_into(UniqueFd(ends[1]).get()), std::pair(0, std::string{}));
}

TEST_F(ReportErrors, EverythingIsShownInOrderAndMadeHarmless) {
  const auto [code, text] = report([]() -> int {
    UserError error("bad\nforged line", "do \x1b[2Jthis");
    error.set_evidence({"\x1b[31mred\x1b[0m", "last\r line"});
    throw error;
  });
  EXPECT_EQ(text, "pushrod: bad\\nforged line\n  | red\n  |  line\n  do \\x1b[2Jthis\n");
}

}  // namespace
}  // namespace pushrod
