// What is shown of output contains no secret, in whatever colours and chunks it comes.
#include "base/output_line.hh"

#include <gtest/gtest.h>

#include <random>

#include "base/text.hh"

namespace pushrod {
namespace {

using Until = OutputLine::Until;
using Pieces = std::vector<std::string>;

class OutputLineTest : public testing::Test {
 protected:
  OutputLineTest() { redactor_.add(Secret("hunter22")); }
  std::string shown(std::string_view line) const { return terminal_safe(line, redactor_); }

  Redactor redactor_;
  OutputLine line_{redactor_};
};

TEST_F(OutputLineTest, AColouredSecretDoesNotAppear) {
  EXPECT_EQ(shown("key: \x1b[31mhun\x1b[0mter22."), "key: \x1b[31m[redacted]\x1b[0m.");
  EXPECT_EQ(shown("\x1b[1mh\x1b[31mu\x1b[32mnter2\x1b[m2"), "\x1b[1m[redacted]\x1b[0m");
}

TEST_F(OutputLineTest, WhatTheTerminalDropsHidesNoSecret) {
  using namespace std::string_view_literals;
  for (const auto line : {"hun\0ter22"sv, "hunx\bter22"sv, "hun\x1b]0;title\ater22"sv, "hun\x07ter\x7f\x32\x32"sv,
                          "xunter22\rh"sv, "hun\x1b(Bter22"sv, "hun\xC2\x85ter22"sv, "hun\u200Bter22"sv,
                          "hun\u200Dter\u00AD22"sv, "hun\uFEFFter22"sv, "hun\xFFter22"sv, "hun\x1b[Kter22"sv}) {
    EXPECT_EQ(shown(line), "[redacted]") << quoted(line);
  }
}

TEST_F(OutputLineTest, ASecretThatIsPartlyOverwrittenIsRedactedBefore) {
  EXPECT_EQ(shown("hunter22\rok"), "okedacted]");
}

TEST_F(OutputLineTest, ASecretThatNoTerminalShowsAsItIsIsFoundAsItIsShown) {
  redactor_.add(Secret("ge\x01heim\xFE!"));
  EXPECT_EQ(shown("geheim\uFFFD!"), "[redacted]");
  EXPECT_EQ(shown("ge\x01heim\xFE!"), "[redacted]");
}

TEST_F(OutputLineTest, EncodedSecretsAreFoundInColours) {
  EXPECT_EQ(shown("aHVu\x1b[31mdGVyMjI="), "[redacted]");
  EXPECT_EQ(shown("hu%6\x1b[0me\x1b[32mter22"), "[redacted]");
}

TEST_F(OutputLineTest, TheMarkIsNotSearchedAgain) {
  redactor_.add(Secret("redacted"));
  EXPECT_EQ(shown("hunter22 \x1b[1mredac\x1b[0mted"), "[redacted] \x1b[1m[redacted]\x1b[0m");
}

TEST_F(OutputLineTest, ALineComesInPieces) {
  line_.add(std::string(25, 'x'));
  EXPECT_EQ(line_.take(10, Until::Full), (Pieces{"xxxxxxxxxx", "xxxxxxxxxx"}));
  line_.add("yyy");
  EXPECT_EQ(line_.take(10, Until::End), (Pieces{"xxxxxyyy"}));
  EXPECT_FALSE(line_.is_begun());
  EXPECT_EQ(line_.take(10, Until::End), (Pieces{""}));
  line_.add("äöüäöü");
  EXPECT_EQ(line_.take(5, Until::End), (Pieces{"äö", "üä", "öü"})) << "no code point is cut";
}

TEST_F(OutputLineTest, NoPieceEndsInASecret) {
  for (std::size_t before = 0; before < 30; ++before) {
    for (const std::string secret : {"hunter22", "\x1b[31mhun\x1b[1mter\x1b[m22", "hun%74er22", "aHVudGVyMjI="}) {
      OutputLine line(redactor_);
      std::string text;
      for (const char byte : std::string(before, '.') + secret + std::string(20, '.')) {
        line.add(std::string(1, byte));
        for (const auto& piece : line.take(10, Until::Full)) text += plain_text(piece);
      }
      for (const auto& piece : line.take(10, Until::End)) text += plain_text(piece);
      EXPECT_EQ(text, std::string(before, '.') + "[redacted]" + std::string(20, '.'));
    }
  }
}

TEST_F(OutputLineTest, ALineThatMayNotGoOnIsShownButForTheBeginningOfASecret) {
  line_.add("Password: ");
  EXPECT_EQ(line_.take(100, Until::Settled), (Pieces{"Password: "}));
  line_.add("it is hun\x1b[31mte");
  EXPECT_EQ(line_.take(100, Until::Settled), (Pieces{"it is "}));
  line_.add("r22");
  EXPECT_EQ(line_.take(100, Until::End), (Pieces{"[redacted]"}));
  line_.add("hunters");
  EXPECT_EQ(line_.take(100, Until::End), (Pieces{"hunters"}));
  line_.add("50 %\r");
  EXPECT_EQ(line_.take(100, Until::Settled), (Pieces{"50 %"}));
  EXPECT_EQ(line_.take(100, Until::End), Pieces{}) << "the rest of the line is empty";
}

TEST_F(OutputLineTest, EscapesAndCodePointsThatChunksCutAreWhole) {
  std::mt19937 random(1);
  const std::string text = "a\x1b[31mb\x1b]0;title\x07é😀\x1b[38;5;200mc\x1b(Bd\xE2\x82!\rx\xC2\x9B\x31me";
  for (int round = 0; round < 200; ++round) {
    OutputLine line(redactor_);
    for (std::string_view rest = text; !rest.empty();) {
      const auto length = std::min<std::size_t>(random() % 5 + 1, rest.size());
      line.add(rest.substr(0, length));
      EXPECT_EQ(line.take(1'000, Until::Full), Pieces{});
      rest.remove_prefix(length);
    }
    EXPECT_EQ(line.take(1'000, Until::End), (Pieces{terminal_safe(text)}));
  }
}

}  // namespace
}  // namespace pushrod
