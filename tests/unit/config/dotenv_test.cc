// .env files: what they may say, and what comes back.
#include "config/dotenv.hh"

#include <gmock/gmock.h>

#include "base/error.hh"

namespace pushrod {
namespace {

using testing::HasSubstr;

std::map<std::string, std::string> parsed(const std::string& text) {
  std::map<std::string, std::string> values;
  for (const auto& [name, value] : parse_dotenv(text, ".env")) values[name.str()] = value.reveal();
  return values;
}

std::string refusal(const std::string& text) {
  try {
    parse_dotenv(text, ".env");
  } catch (const UserError& error) {
    return error.message();
  }
  return "accepted";
}

using Values = std::map<std::string, std::string>;

TEST(Dotenv, BareValuesEndWithTheLineOrAComment) {
  EXPECT_EQ(parsed("A=1\nB = two words \t# said\nC=a#b\nD=#\nE=\nF=x=y\r\n"),
            (Values{{"A", "1"}, {"B", "two words"}, {"C", "a#b"}, {"D", ""}, {"E", ""}, {"F", "x=y"}}));
}

TEST(Dotenv, BlankLinesCommentsAndExportArePassedOver) {
  EXPECT_EQ(parsed("\n# A=0\n  export A=1\nexporter=2"), (Values{{"A", "1"}, {"exporter", "2"}}));
}

TEST(Dotenv, SingleQuotesMeanWhatTheyHold) {
  EXPECT_EQ(parsed("A='$x \\n \"#' # comment\nB='two\nlines'\n"), (Values{{"A", "$x \\n \"#"}, {"B", "two\nlines"}}));
}

TEST(Dotenv, DoubleQuotesKnowAFewEscapes) {
  EXPECT_EQ(parsed(R"(A="a\nb\t\"c\" \\ \$d $e \q"
)"),
            (Values{{"A", "a\nb\t\"c\" \\ $d $e \\q"}}));
}

TEST(Dotenv, WhatIsNoSettingIsRefusedByLine) {
  EXPECT_THAT(refusal("A=1\nnonsense\n"), HasSubstr(".env:2: missing '='"));
  EXPECT_THAT(refusal("A=1\n\nA=2\n"), HasSubstr(".env:3: A is set twice"));
  EXPECT_THAT(refusal("A='\n\n\n"), HasSubstr(".env:1: the value has no closing '"));
  EXPECT_THAT(refusal("A=\"x\" y\n"), HasSubstr(".env:1: unexpected text after"));
  EXPECT_THAT(refusal("PORT=1\n"), HasSubstr(".env:1: setting PORT is reserved"));
  EXPECT_THAT(refusal("a b=1\n"), HasSubstr(".env:1:"));
  EXPECT_THAT(refusal(std::string("A=x\0y\n", 6)), HasSubstr("NUL"));
}

TEST(Dotenv, ARefusalNeverShowsAValue) {
  EXPECT_THAT(refusal("A='geheim"), testing::Not(HasSubstr("geheim")));
  EXPECT_THAT(refusal("A=\"x\"geheim\n"), testing::Not(HasSubstr("geheim")));
  const auto of_a_key = refusal("KEY=-----BEGIN KEY-----\nMIIgeheim/+x=\n");
  EXPECT_THAT(of_a_key, HasSubstr(".env:2: the text before '=' is not a valid setting name"));
  EXPECT_THAT(of_a_key, testing::Not(HasSubstr("geheim")));
  EXPECT_THAT(refusal("geheim" + std::string(200, 'x') + "=\n"), testing::Not(HasSubstr("geheim")));
}

TEST(Dotenv, WhatIsWrittenIsReadBackByteForByte) {
  std::string bytes;
  for (int byte = 1; byte < 256; ++byte) bytes += static_cast<char>(byte);
  DotenvEntries entries;
  entries.emplace_back(SettingName::parse("ALL"), Secret(bytes));
  entries.emplace_back(SettingName::parse("EMPTY"), Secret(""));
  entries.emplace_back(SettingName::parse("SLASHES"), Secret("\\n\\\\"));
  EXPECT_EQ(parsed(render_dotenv(entries)), (Values{{"ALL", bytes}, {"EMPTY", ""}, {"SLASHES", "\\n\\\\"}}));
}

}  // namespace
}  // namespace pushrod
