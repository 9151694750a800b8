// The hooks' protocol: its framing against garbage, and its meaning against the real git on both ends.
// Unit tests of git/protocol.cc and git/pkt_line.cc. This program is its own proc-receive and pre-receive hook: see
// main() in hooks_test.cc.
#include "git/protocol.hh"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <csignal>
#include <random>
#include <thread>

#include "git/pkt_line.hh"
#include "git_test_support.hh"
#include "os/unique_fd.hh"

namespace pushrod {

namespace {

using namespace std::string_literals;

const std::string kOne(40, '1');
const std::string kTwo(40, '2');
const std::string kZero(40, '0');

// A file that is read like a pipe whose writer has gone.
UniqueFd input(const std::string& text) {
  UniqueFd fd(memfd_create("input", MFD_CLOEXEC));
  write_all(fd.get(), text, "write the input");
  EXPECT_EQ(lseek(fd.get(), 0, SEEK_SET), 0);
  return fd;
}

struct Conversation {
  ProcReceiveRequest request;
  std::string answer;
};
Conversation converse(const std::string& text) {
  const UniqueFd in = input(text);
  const UniqueFd out = input("");
  Conversation result{read_proc_receive(in.get(), out.get()), {}};
  std::array<char, 4096> buffer;
  const ssize_t got = pread(out.get(), buffer.data(), buffer.size(), 0);
  result.answer.assign(buffer.data(), static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
  return result;
}
std::string failure(const std::string& text) {
  return what_is_thrown<Error>([&] { converse(text); });
}
std::vector<RefCommand> pre_receive(const std::string& text) { return read_pre_receive(input(text).get()); }

TEST(PktLine, CountsItsOwnLength) {
  EXPECT_EQ(pkt_line(""), "0004");
  EXPECT_EQ(pkt_line("a\n"), "0006a\n");
  EXPECT_EQ(pkt_line(std::string(65'516, 'x')).substr(0, 5), "fff0x");
  EXPECT_THROW(pkt_line(std::string(65'517, 'x')), Error);
}

TEST(PreReceive, ReadsUpdatesCreationsAndDeletionsVerbatim) {
  const auto commands = pre_receive(kOne + " " + kTwo + " refs/heads/a;$(id)'b\n" + kZero + " " + kTwo +
                                    " refs/heads/new\n" + kOne + " " + kZero + " refs/tags/gone\n");
  ASSERT_EQ(commands.size(), 3u);
  EXPECT_EQ(commands[0].before->str(), kOne);
  EXPECT_EQ(commands[0].after->str(), kTwo);
  EXPECT_EQ(commands[0].ref, "refs/heads/a;$(id)'b");
  EXPECT_EQ(commands[1].before, std::nullopt);
  EXPECT_EQ(commands[2].after, std::nullopt);
  EXPECT_TRUE(pre_receive("").empty());
}

TEST(PreReceive, RefusesWhatIsCutOrMalformed) {
  const std::string good = kOne + " " + kTwo + " refs/heads/a";
  for (const std::string& text :
       {good, kOne + " " + kTwo + "\n", kOne + " " + kTwo + " \n", kOne + "  " + kTwo + " refs/heads/a\n",
        kOne + "\t" + kTwo + " refs/heads/a\n", "g" + good + "\n", good.substr(1) + "\n", std::string("\n"),
        std::string(40, 'G') + " " + kTwo + " refs/heads/a\n", good + "\0x\n"s}) {
    EXPECT_THROW(pre_receive(text), Error) << text;
  }
}

TEST(ProcReceive, AnswersWithWhatWasOfferedAndReadsTheRest) {
  const auto [request, answer] =
      converse(pkt_line("version=1\0push-options atomic\n"s) + "0000" +
               pkt_line(kZero + " " + kOne + " refs/heads/main") + pkt_line(kOne + " " + kZero + " refs/heads/old\n") +
               "0000" + pkt_line("delete=yes") + pkt_line("a;b $(id)") + "0000");
  EXPECT_EQ(answer, pkt_line("version=1\0push-options\n"s) + "0000");
  ASSERT_EQ(request.commands.size(), 2u);
  EXPECT_EQ(request.commands[0].ref, "refs/heads/main");
  EXPECT_EQ(request.commands[1].ref, "refs/heads/old");
  EXPECT_EQ(request.push_options, (std::vector<std::string>{"delete=yes", "a;b $(id)"}));
  EXPECT_TRUE(request.atomic);
}

TEST(ProcReceive, NamesNoCapabilityThatWasNotOffered) {
  const auto [request, answer] =
      converse(pkt_line("version=1\n") + "0000" + pkt_line(kZero + " " + kOne + " refs/heads/main") + "0000");
  EXPECT_EQ(answer, pkt_line("version=1\n") + "0000");
  EXPECT_TRUE(request.push_options.empty());
  EXPECT_FALSE(request.atomic);
}

TEST(ProcReceive, LeavesWhatComesAfterItUnread) {
  const std::string text = pkt_line("version=1\n") + "0000" + "0000";
  const UniqueFd in = input(text + "next");
  const UniqueFd out = input("");
  read_proc_receive(in.get(), out.get());
  EXPECT_EQ(lseek(in.get(), 0, SEEK_CUR), static_cast<off_t>(text.size()));
}

// Line 16 of the faults.
TEST(ProcReceive, GarbageIsAnErrorAndNeverACrash) {
  const std::string greeting = pkt_line("version=1\0push-options\n"s) + "0000";
  for (const std::string& text : {""s,
                                  "0"s,
                                  "00zz"s,
                                  "zzzz"s,
                                  "-001"s,
                                  "+004"s,
                                  " 004"s,
                                  "0x10"s,
                                  "0001"s,
                                  "0002"s,
                                  "0003"s,
                                  "ffff"s,
                                  "fff1"s,
                                  "fff0"s,
                                  "0005"s,
                                  "0000"s,
                                  pkt_line("version=2") + "0000",
                                  pkt_line("version=11") + "0000",
                                  pkt_line("hello") + "0000",
                                  pkt_line("version=1"),
                                  pkt_line("version=1") + pkt_line("more") + "0000",
                                  greeting,
                                  greeting + "0004",
                                  greeting + pkt_line("x") + "0000",
                                  greeting + pkt_line(kOne + " " + kTwo + " a"),
                                  greeting + pkt_line(kOne + " " + kTwo + " a\0b"s) + "0000",
                                  greeting + "0000" + pkt_line("an option")}) {
    EXPECT_FALSE(failure(text).empty()) << text;
  }
  // The longest line there may be, and one that says so and is not.
  EXPECT_FALSE(failure(greeting + pkt_line(std::string(65'516, 'x')) + "0000").empty());
  EXPECT_FALSE(failure(greeting + "fff0" + std::string(65'515, 'x')).empty());

  std::mt19937 random(7);
  const std::string good =
      greeting + pkt_line(kZero + " " + kOne + " refs/heads/main") + "0000" + pkt_line("o") + "0000";
  for (int round = 0; round < 3000; ++round) {
    std::string text = good;
    for (unsigned change = 0; change < 1 + random() % 4; ++change) {
      text[random() % text.size()] = static_cast<char>(random());
    }
    try {
      converse(text.substr(0, random() % (text.size() + 1)));
    } catch (const Error&) {
      // As it should be; some changes are harmless.
    }
  }
}

TEST(ProcReceive, AStreamWithoutEndIsCutOff) {
  std::string text = pkt_line("version=1\n") + "0000";
  const std::string command = pkt_line(kZero + " " + kOne + " refs/heads/" + std::string(60'000, 'x'));
  for (int times = 0; times < 300; ++times) text += command;
  EXPECT_NE(failure(text).find("16 MiB"), std::string::npos);
}

// Line 8 of the faults.
TEST(ProcReceive, TooManyTooLongOrCrookedPushOptionsAreRefused) {
  const auto with_options = [](const std::vector<std::string>& options) {
    std::string text = pkt_line("version=1\0push-options\n"s) + "0000" + "0000";
    for (const std::string& option : options) text += pkt_line(option);
    return text + "0000";
  };
  EXPECT_EQ(converse(with_options(std::vector<std::string>(50, "x"))).request.push_options.size(), 50u);
  const auto refusal = [&](const std::vector<std::string>& options) {
    return what_is_thrown<UserError>([&] { converse(with_options(options)); });
  };
  EXPECT_NE(refusal(std::vector<std::string>(51, "x")).find("the limit is 50"), std::string::npos);
  EXPECT_NE(refusal({std::string(1025, 'x')}).find("1024"), std::string::npos);
  for (const std::string& crooked : {"a\tb"s, "a\nb"s, "a\0b"s, "a\x7f"s, "\x1b[2J"s}) {
    EXPECT_NE(refusal({crooked}).find("control character"), std::string::npos);
  }
  EXPECT_EQ(converse(with_options({"; rm -rf /", "", "ünï"})).request.push_options,
            (std::vector<std::string>{"; rm -rf /", "", "ünï"}));
}

class PushOptions : public testing::Test {
 protected:
  ~PushOptions() override {
    unsetenv("GIT_PUSH_OPTION_COUNT");
    for (int at = 0; at < 60; ++at) unsetenv(("GIT_PUSH_OPTION_" + std::to_string(at)).c_str());
  }
  static void set(const std::string& count, const std::vector<std::string>& options) {
    setenv("GIT_PUSH_OPTION_COUNT", count.c_str(), 1);
    for (std::size_t at = 0; at < options.size(); ++at) {
      setenv(("GIT_PUSH_OPTION_" + std::to_string(at)).c_str(), options[at].c_str(), 1);
    }
  }
};

TEST_F(PushOptions, ComeFromTheEnvironmentVerbatim) {
  EXPECT_TRUE(push_options_from_environment().empty());
  set("0", {});
  EXPECT_TRUE(push_options_from_environment().empty());
  set("2", {"a;b", "$(id)"});
  EXPECT_EQ(push_options_from_environment(), (std::vector<std::string>{"a;b", "$(id)"}));
}

TEST_F(PushOptions, AreRefusedWhenTooManyTooLongCrookedOrMissing) {
  set("10000", {});
  EXPECT_NE(what_is_thrown<UserError>(push_options_from_environment).find("10000"), std::string::npos);
  set("1", {std::string(1025, 'x')});
  EXPECT_NE(what_is_thrown<UserError>(push_options_from_environment).find("1024"), std::string::npos);
  set("1", {"a\tb"});
  EXPECT_NE(what_is_thrown<UserError>(push_options_from_environment).find("control"), std::string::npos);
  set("3", {"a", "b"});
  EXPECT_THROW(push_options_from_environment(), Error);
  set("-1", {});
  EXPECT_THROW(push_options_from_environment(), Error);
}

TEST(Report, SaysOkOrTheReasonOnOneLine) {
  const Pipe pipe = make_pipe();
  EXPECT_TRUE(write_proc_receive_report(
      pipe.write_end.get(),
      {{"refs/heads/a", ""}, {"refs/heads/b", "build failed:\nline two\r\x1b[2J\x07 \x1b[31mred\x1b[0m"}}));
  std::array<char, 4096> buffer;
  const ssize_t got = read(pipe.read_end.get(), buffer.data(), buffer.size());
  ASSERT_GT(got, 0);
  const std::string text(buffer.data(), static_cast<std::size_t>(got));
  EXPECT_TRUE(text.starts_with(pkt_line("ok refs/heads/a"))) << text;
  EXPECT_TRUE(text.ends_with("0000")) << text;
  EXPECT_NE(text.find("ng refs/heads/b build failed: line two"), std::string::npos) << text;
  for (const char c : text) EXPECT_GE(static_cast<unsigned char>(c), ' ') << text;
}

TEST(Report, LeavesARefToGit) {
  const Pipe pipe = make_pipe();
  EXPECT_TRUE(write_proc_receive_report(pipe.write_end.get(), {{"refs/tags/a", "", true}, {"refs/tags/b", ""}}));
  std::array<char, 4096> buffer;
  const ssize_t got = read(pipe.read_end.get(), buffer.data(), buffer.size());
  ASSERT_GT(got, 0);
  EXPECT_EQ(std::string(buffer.data(), static_cast<std::size_t>(got)),
            pkt_line("ok refs/tags/a") + pkt_line("option fall-through") + pkt_line("ok refs/tags/b") + "0000");
}

TEST(Report, ALongReasonIsCutBetweenCharacters) {
  const Pipe pipe = make_pipe();
  std::string reason;
  while (reason.size() < 100'000) reason += "é";
  EXPECT_TRUE(write_proc_receive_report(pipe.write_end.get(), {{"r", "x" + reason}}));
  std::array<char, 4096> buffer;
  const ssize_t got = read(pipe.read_end.get(), buffer.data(), buffer.size());
  const std::string text(buffer.data(), static_cast<std::size_t>(got));
  EXPECT_LT(text.size(), 1'100u);
  EXPECT_TRUE(text.ends_with("é…0000")) << text;
}

TEST(Report, SaysFalseWithoutAReaderAndLeavesNoSignalBehind) {
  Pipe pipe = make_pipe();
  pipe.read_end.reset();
  ASSERT_NE(signal(SIGPIPE, SIG_DFL), SIG_ERR);
  EXPECT_FALSE(write_proc_receive_report(pipe.write_end.get(), {{"refs/heads/a", ""}}));
  sigset_t pending;
  ASSERT_EQ(sigpending(&pending), 0);
  EXPECT_EQ(sigismember(&pending, SIGPIPE), 0);
}

}  // namespace

}  // namespace pushrod
