// Quoting for messages and for shells.
#include <gtest/gtest.h>

#include <array>
#include <cstdio>
#include <memory>

#include "base/error.hh"
#include "base/text.hh"

namespace pushrod {
namespace {

using namespace std::string_view_literals;

TEST(ValidUtf8, AcceptsWellFormedText) {
  for (const std::string_view text : {""sv, "abc"sv, "é"sv, "€"sv, "😀"sv, "\xF4\x8F\xBF\xBF"sv, "a\0b"sv}) {
    EXPECT_TRUE(is_valid_utf8(text)) << text;
  }
}

TEST(ValidUtf8, RefusesOverlongSurrogateCutAndOutOfRange) {
  for (const char* text : {"\x80", "\xC0\xAF", "\xC1\xBF", "\xE0\x80\xAF", "\xED\xA0\x80", "\xF0\x80\x80\x80",
                           "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xFF", "abc\xE2\x82", "\xC3(", "\xF0\x9F\x98"}) {
    EXPECT_FALSE(is_valid_utf8(text)) << quoted(std::string_view(text));
  }
}

TEST(Quoted, EscapesWhatCouldSteerATerminalOrForgeALine) {
  const std::vector<std::pair<std::string_view, std::string_view>> table{
      {"plain é 😀", "\"plain é 😀\""},
      {"a\nb\tc\rd", R"("a\nb\tc\rd")"},
      {"say \"hi\" \\", R"("say \"hi\" \\")"},
      {"\x1b[31m", R"("\x1b[31m")"},
      {"a\0b\x7f"sv, R"("a\x00b\x7f")"},
      {"\xff\xc3", R"("\xff\xc3")"},
      {"\xc2\x9b", R"("\u009b")"},
      {"\u202e\u2066", R"("\u202e\u2066")"},
      {"\u2028\u200b\ufeff", R"("\u2028\u200b\ufeff")"},
      {"\U000E0041", R"("\U000e0041")"},
  };
  for (const auto& [text, expected] : table) EXPECT_EQ(quoted(text), expected);
}

TEST(Quoted, TakesStringsOfEveryKind) {
  std::string text = "a";
  const std::string constant = "b";
  EXPECT_EQ(quoted(text), "\"a\"");
  EXPECT_EQ(quoted(constant), "\"b\"");
  EXPECT_EQ(quoted(std::string("c")), "\"c\"");
  EXPECT_EQ(quoted("d"), "\"d\"");
}

TEST(Quoted, IsCutBetweenCharacters) {
  EXPECT_EQ(quoted("abcdef", 6), "\"abcdef\"");
  EXPECT_EQ(quoted("abcdef", 5), "\"abcde…\"");
  EXPECT_EQ(quoted("ab€", 4), "\"ab…\"");
  EXPECT_EQ(quoted("ab\x01", 4), "\"ab…\"");
}

TEST(Escaped, IsQuotedWithoutTheQuotes) {
  EXPECT_EQ(escaped("say \"hi\"\n\\"), R"(say "hi"\n\\)");
  EXPECT_EQ(escaped(std::string(5'000, 'a')), std::string(4'096, 'a') + "…");
}

std::string printed_by_shell(const std::string& word) {
  const std::string command = "printf %s " + word;
  const std::unique_ptr<FILE, int (*)(FILE*)> shell(popen(command.c_str(), "r"), pclose);
  std::string output;
  std::array<char, 512> buffer{};
  while (const std::size_t got = fread(buffer.data(), 1, buffer.size(), shell.get())) output.append(buffer.data(), got);
  return output;
}

TEST(ShellQuoted, IsReadBackByAShellAsItWas) {
  std::string every_byte;
  for (int byte = 1; byte < 256; ++byte) every_byte += static_cast<char>(byte);
  for (const std::string& text : {std::string("plain"), std::string(), std::string("two words"), std::string("it's"),
                                  std::string("$HOME `id` $(id) \\ \" * ? ~ # ! & ; |"), std::string("'"),
                                  std::string("~"), std::string("a\nb\n"), every_byte}) {
    EXPECT_EQ(printed_by_shell(shell_quoted(text)), text) << shell_quoted(text);
  }
}

TEST(ShellQuoted, LeavesPlainWordsAlone) {
  EXPECT_EQ(shell_quoted("/usr/bin/git-1.0_x"), "/usr/bin/git-1.0_x");
  EXPECT_EQ(shell_quoted("--root=/srv"), "--root=/srv");
  // In front of a command it would be an assignment.
  EXPECT_EQ(shell_quoted("PATH=/tmp"), "'PATH=/tmp'");
  EXPECT_EQ(shell_quoted(""), "''");
}

TEST(ShellQuoted, RefusesNul) { EXPECT_THROW(shell_quoted("a\0b"sv), Error); }

TEST(SystemError, NamesThePurposeAndTheCause) {
  const SystemError error("open \"x\"", ENOENT);
  EXPECT_EQ(error.message(), "open \"x\": No such file or directory");
  EXPECT_EQ(error.code(), ENOENT);
}

}  // namespace
}  // namespace pushrod
