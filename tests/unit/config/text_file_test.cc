// Small text files: which bytes are accepted, and what is said about the others.
#include "config/text_file.hh"

#include <gtest/gtest.h>

#include "config/app_manifest.hh"
#include "config/dotenv.hh"
#include "config/settings_file.hh"
#include "fixtures.hh"

namespace pushrod {
namespace {

using namespace std::string_literals;

std::string problem_of(const std::string& bytes) {
  return refusal([&] { decode_text(bytes, "Procfile"); });
}

std::string utf16(const std::string& ascii, bool little_endian) {
  std::string bytes;
  for (const char character : ascii)
    bytes += little_endian ? std::string{character, '\0'} : std::string{'\0', character};
  return bytes;
}

const std::string kUtf16Hint =
    " | save it as UTF-8; Windows PowerShell writes UTF-16 with \">\": use | Set-Content -Encoding utf8";

TEST(TextFile, IsTakenAsItIs) {
  for (const auto& text : {""s, "web: x"s, "web: x\n"s, "\n\na\n"s, "größe: 漢字 🎉\n"s}) {
    EXPECT_EQ(decode_text(text, "x"), text);
  }
}

TEST(TextFile, AByteOrderMarkAtTheStartIsNotPartOfTheText) {
  EXPECT_EQ(decode_text("\xEF\xBB\xBFweb: x\n", "x"), "web: x\n");
  EXPECT_EQ(decode_text("\xEF\xBB\xBF", "x"), "");
  EXPECT_EQ(decode_text("a\n\xEF\xBB\xBF"
                        "b\n",
                        "x"),
            "a\n\xEF\xBB\xBF"
            "b\n");
}

TEST(TextFile, CrlfEndsALine) {
  EXPECT_EQ(decode_text("a\r\nb\n\r\nc\r", "x"), "a\nb\n\nc");
  EXPECT_EQ(decode_text("a\rb\r\r\n", "x"), "a\rb\r\n");  // only one CR belongs to the end of a line
}

TEST(TextFile, Utf16IsNamed) {
  const std::string text = "web: python3 app.py\r\n";
  EXPECT_EQ(problem_of("\xFF\xFE" + utf16(text, true)), "Procfile: is UTF-16, not UTF-8" + kUtf16Hint);
  EXPECT_EQ(problem_of("\xFE\xFF" + utf16(text, false)), "Procfile: is UTF-16, not UTF-8" + kUtf16Hint);
  EXPECT_EQ(problem_of(utf16(text, true)), "Procfile: is UTF-16, not UTF-8" + kUtf16Hint);
  EXPECT_EQ(problem_of(utf16(text, false)), "Procfile: is UTF-16, not UTF-8" + kUtf16Hint);
  EXPECT_EQ(problem_of("\xFF\xFE"), "Procfile: is UTF-16, not UTF-8" + kUtf16Hint);
  EXPECT_EQ(problem_of("\xFF\xFE\0\0w\0\0\0"s), "Procfile: is UTF-32, not UTF-8" + kUtf16Hint);
}

TEST(TextFile, WhatIsNotTextIsRefusedWithItsLine) {
  EXPECT_EQ(problem_of("web: a\nb\0c\n"s),
            "Procfile:2: contains a NUL byte | remove it: the file must be text in UTF-8");
  EXPECT_EQ(problem_of("a\r\n\r\ngr\xF6\xDF"
                       "e\n"),
            "Procfile:3: not valid UTF-8 | save the file as UTF-8");
}

TEST(TextFile, EveryParserReadsFilesOfWindows) {
  const std::string mark = "\xEF\xBB\xBF";
  const auto processes = parse_procfile(mark + "web: python3 app.py\r\nworker: x\r\n", "Procfile");
  ASSERT_EQ(processes.size(), 2U);
  EXPECT_EQ(processes[0].command, "python3 app.py");
  const auto manifest =
      parse_manifest(mark + "[build]\r\ncommand = \"\"\"\r\nmake\r\nmake install\"\"\"\r\n", "pushrod.toml");
  EXPECT_EQ(manifest.build_command, "make\nmake install");
  const auto entries = parse_dotenv(mark + "FIRST=1\r\nSECOND='a\r\nb'\r\n", ".env");
  ASSERT_EQ(entries.size(), 2U);
  EXPECT_EQ(entries[0].first.str(), "FIRST");
  EXPECT_EQ(entries[0].second.reveal(), "1");
  EXPECT_EQ(entries[1].second.reveal(), "a\nb");
  EXPECT_EQ(parse_settings(mark + "[retention]\r\nreleases = 7\r\n", "server.toml").keep_releases, 7U);
}

TEST(TextFile, OnlyAValueInQuotesMayHaveOtherBytes) {
  EXPECT_EQ(refusal([&] { parse_dotenv("A=1\nB=gr\xF6\n", ".env"); }),
            ".env:2: not valid UTF-8 | save the file as UTF-8");
  EXPECT_EQ(parse_dotenv("B=\"gr\xF6\"\n", ".env").front().second.reveal(), "gr\xF6");
}

TEST(TextFile, EveryParserNamesUtf16) {
  const auto bytes = utf16("web: x\r\n", true);
  EXPECT_EQ(refusal([&] { parse_procfile(bytes, "a/Procfile"); }), "a/Procfile: is UTF-16, not UTF-8" + kUtf16Hint);
  EXPECT_EQ(refusal([&] { parse_manifest(bytes, "pushrod.toml"); }), "pushrod.toml: is UTF-16, not UTF-8" + kUtf16Hint);
  EXPECT_EQ(refusal([&] { parse_dotenv(bytes, ".env"); }), ".env: is UTF-16, not UTF-8" + kUtf16Hint);
  EXPECT_EQ(refusal([&] { parse_settings(bytes, "server.toml"); }), "server.toml: is UTF-16, not UTF-8" + kUtf16Hint);
}

}  // namespace
}  // namespace pushrod
