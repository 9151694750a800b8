// Somebody's output on its way to a terminal.
#include <gtest/gtest.h>

#include <random>

#include "base/text.hh"

namespace pushrod {
namespace {

using namespace std::string_view_literals;

struct Row {
  std::string_view line;
  std::string_view expected;
};

void expect_all(const std::vector<Row>& table) {
  for (const auto& [line, expected] : table) {
    EXPECT_EQ(terminal_safe(line), expected) << quoted(line) << " became " << quoted(terminal_safe(line));
  }
}

TEST(TerminalSafe, KeepsTextAndColours) {
  expect_all({
      {"plain é 😀 \\ \"x\"", "plain é 😀 \\ \"x\""},
      {"a\tb", "a\tb"},
      {"\x1b[31mred\x1b[0m", "\x1b[31mred\x1b[0m"},
      {"\x1b[1m\x1b[31mx\x1b[m y", "\x1b[1;31mx\x1b[0m y"},
      {"\x1b[1;32;44mx", "\x1b[1;32;44mx\x1b[0m"},
      {"\x1b[38;5;200mx\x1b[39my", "\x1b[38;5;200mx\x1b[0my"},
      {"\x1b[48;2;1;2;3mx", "\x1b[48;2;1;2;3mx\x1b[0m"},
      {"\x1b[97;101mx", "\x1b[97;101mx\x1b[0m"},
      {"\x1b[1mbold\x1b[22mnot", "\x1b[1mbold\x1b[0mnot"},
      {"\x1b[31ma\x1b[1mb", "\x1b[31ma\x1b[0;1;31mb\x1b[0m"},
  });
}

TEST(TerminalSafe, EndsAColourWithItsLine) { EXPECT_EQ(terminal_safe("\x1b[31mred"), "\x1b[31mred\x1b[0m"); }

TEST(TerminalSafe, DropsAttributesThatHideText) {
  EXPECT_EQ(terminal_safe("\x1b[8mhidden\x1b[28m \x1b[5mblink"), "hidden blink");
}

TEST(TerminalSafe, TakesOutEveryOtherEscapeSequence) {
  expect_all({
      {"a\x1b]52;c;aGVsbG8=\ab", "ab"},      // clipboard
      {"a\x1b]52;c;aGVsbG8=\x1b\\b", "ab"},  //
      {"a\x1b]0;title\ab", "ab"},            // window title
      {"a\xc2\x9d"
       "0;title\xc2\x9c"
       "b",
       "ab"},  // the same in C1
      {"\x1b]8;;http://evil\x1b\\link\x1b]8;;\x1b\\", "link"},
      {"a\x1b]0;unterminated", "a"},  //
      {"a\x1bP1$r0m\x1b\\b", "ab"},   // DCS
      {"a\x1b_apc\x1b\\b\x1b^pm\x1b\\c\x1bXsos\x1b\\d", "abcd"},
      {"a\x1b[2J\x1b[Hb", "ab"},         // clear screen, home
      {"a\x1b[1A\x1b[5Cb", "ab"},        // cursor moves
      {"a\x1b[?25l\x1b[?1049hb", "ab"},  // private modes
      {"a\x1b[>4;2mb", "ab"},            // no colour, whatever its final byte
      {"a\x1b[6nb\x1b[cb", "abb"},       // queries that the terminal would answer
      {"a\x1b(0b\x1b)Bc", "abc"},        // character sets
      {"a\x1b"
       "cb\x1b"
       "7c\x1b=d",
       "abcd"},  // reset, save, keypad
      {"a\xc2\x9b"
       "31mb",
       "a\x1b[31mb\x1b[0m"},  // C1 CSI is a CSI
      {"a\xc2\x85"
       "b",
       "ab"},                                     // C1 next line
      {"a\x1b", "a"},                             // cut in the middle
      {"a\x1b[", "a"},                            //
      {"a\x1b[31", "a"},                          //
      {"a\x1b[3\x1b[31mb", "a\x1b[31mb\x1b[0m"},  // broken by another
      {"a\x1b\x1b[31mb", "a\x1b[31mb\x1b[0m"},    //
      {"a\x1b[99999999999999999999mb", "ab"},     //
      {"a\x1b[38;5mb\x1b[38;2;1mc", "abc"},       // incomplete colours
  });
}

TEST(TerminalSafe, NeutralisesControlCharactersAndInvalidBytes) {
  expect_all({
      {"a\0b\ac\x7f"sv, "abc"},
      {"a\nb\vc\fd", "a b c d"},
      {"a\xff\xc3(b", "a\uFFFD\uFFFD(b"},
      {"a\x9b"
       "31mb",
       "a\uFFFD31mb"},  // a bare 8-bit CSI is no UTF-8
      {"user\u202Etxt.exe", "user\uFFFDtxt.exe"},
      {"a\u2028b\u200Bc", "a\uFFFDb\uFFFDc"},
  });
}

TEST(TerminalSafe, ResolvesOverwritesToWhatRemainedVisible) {
  expect_all({
      {"10%\r20%\r100%", "100%"},
      {"abcdef\rxy", "xycdef"},
      {"abc\r", "abc"},
      {"progress 1\r\x1b[Kdone", "done"},
      {"progress 1\x1b[2K\x1b[1Gdone", "done"},
      {"abcdef\b\b\x1b[K!", "abcd!"},
      {"ab\b\b\b\bx", "xb"},
      {"abc\x1b[1K", "   "},
      {"\x1b[31mabc\r\x1b[0mx", "x\x1b[31mbc\x1b[0m"},
  });
}

TEST(TerminalSafe, CutsARowThatNobodyReads) {
  const std::string result = terminal_safe(std::string(1'000'000, 'a'));
  EXPECT_EQ(result, std::string(262'144, 'a') + "…");
}

TEST(PlainText, HasNoColoursEither) {
  EXPECT_EQ(plain_text("\x1b[1;31merror:\x1b[0m it's \x1b]0;t\abroken"), "error: it's broken");
}

// Whatever comes in: printable UTF-8 comes out, and no escape but SGR.
TEST(TerminalSafe, NeverLetsAnythingElseThrough) {
  std::mt19937 random(1);
  constexpr std::string_view kAlphabet =
      "\x1b\x1b\x1b[[]]PX^_\\;:?0123m48;5;K\rGJH\b\a\n\x9b\x9c\x90\xc2\xc2\xe2\x80\xae(Bab ";
  for (int round = 0; round < 20'000; ++round) {
    std::string line;
    for (auto length = random() % 40; length > 0; --length) line += kAlphabet[random() % kAlphabet.size()];
    std::string safe = terminal_safe(line);
    ASSERT_TRUE(is_valid_utf8(safe)) << quoted(line);
    for (std::size_t at = safe.find('\x1b'); at != std::string::npos; at = safe.find('\x1b')) {
      const std::size_t end = safe.find_first_not_of("0123456789;", at + 2);
      ASSERT_TRUE(safe[at + 1] == '[' && end != std::string::npos && safe[end] == 'm') << quoted(line);
      safe.erase(at, end - at + 1);
    }
    ASSERT_EQ(safe, plain_text(line));
    ASSERT_EQ(escaped(safe).find("\\x"), std::string::npos) << quoted(line);
    ASSERT_EQ(escaped(safe).find("\\u"), std::string::npos) << quoted(line);
  }
}

}  // namespace
}  // namespace pushrod
