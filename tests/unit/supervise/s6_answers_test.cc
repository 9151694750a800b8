// What s6's tools print, in the forms that their documentation gives.
#include "supervise/s6_answers.hh"

#include <gtest/gtest.h>

#include <csignal>

namespace pushrod {
namespace {

constexpr const char* kLabel = "@400000006b0b86bf2fb07ca8";

TEST(S6Answers, OfAServiceThatIsUp) {
  const auto answer = parse_svstat("true true 4711 @400000006b0b86bf2fb07ca8\n");
  ASSERT_TRUE(answer);
  EXPECT_EQ(*answer, (SvstatAnswer{true, true, 4711, from_tai64n(0x400000006b0b86bf, 0x2fb07ca8)}));
}

TEST(S6Answers, OfAServiceThatIsDownHaveNoPid) {
  const auto answer = parse_svstat(std::string("false true -1 ") + kLabel);
  ASSERT_TRUE(answer);
  EXPECT_FALSE(answer->up);
  EXPECT_TRUE(answer->wanted_up);
  EXPECT_EQ(answer->pid, 0);
}

TEST(S6Answers, ThatAreSomethingElseAreRecognised) {
  for (const std::string text :
       {"true true 1 @01778496531a4c5b1fe03b64", "true true 1 @4000000e392a4c5b1f0e3b65",
        "true true 1 @400000006b0b86bfffffffff", "", "true", "true true 4711", "true true 4711 600",
        "yes true 4711 @400000006b0b86bf2fb07ca8", "true true -7 @400000006b0b86bf2fb07ca8",
        "true true 4711 @400000006b0b86bf2fb07ca", "true true 4711 @400000006b0b86bf2fb07cag",
        "true true 4711 @400000006b0b86bf2fb07ca8 true"}) {
    EXPECT_FALSE(parse_svstat(text)) << text;
  }
  for (const std::string text : {"exitcode 3", "@400000006b0b86bf2fb07ca8 exitcode",
                                 "@400000006b0b86bf2fb07ca8 signal x", "@400000006b0b86bf2fb07ca8 stopped 3"}) {
    EXPECT_FALSE(parse_svdt(text)) << text;
  }
}

TEST(S6Answers, CountTheDeathsAndTellTheLast) {
  EXPECT_EQ(parse_svdt(""), SvdtAnswer{});
  const std::string exit = std::string(kLabel) + " exitcode 3\n";
  EXPECT_EQ(parse_svdt(exit), (SvdtAnswer{1, ExitStatus::exited(3)}));
  EXPECT_EQ(parse_svdt(exit + kLabel + " signal 9\n"), (SvdtAnswer{2, ExitStatus::signalled(SIGKILL)}));
  EXPECT_EQ(parse_svdt(exit + kLabel + " signal 35\n"), (SvdtAnswer{2, ExitStatus::signalled(35)}));
}

}  // namespace
}  // namespace pushrod
