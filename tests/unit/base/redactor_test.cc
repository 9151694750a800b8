// Secrets are found in output wherever they stand and in whatever way they are written.
#include "base/redactor.hh"

#include <gtest/gtest.h>

namespace pushrod {
namespace {

Redactor redactor_of(const std::vector<std::string>& secrets) {
  Redactor redactor;
  for (const auto& secret : secrets) redactor.add(Secret(secret));
  return redactor;
}

std::string redacted(const std::vector<std::string>& secrets, const std::string& line) {
  return redactor_of(secrets).redact(line);
}

TEST(RedactorTest, FindsSecretsWhereverTheyStand) {
  EXPECT_EQ(redacted({"geheim"}, "geheim, and geheimgeheim"), "[redacted], and [redacted][redacted]");
  EXPECT_EQ(redacted({"geheim"}, "nothing of it"), "nothing of it");
  EXPECT_EQ(redacted({}, "geheim"), "geheim");
}

TEST(RedactorTest, PrefersTheLongerOfTwoAndMergesThoseThatOverlap) {
  EXPECT_EQ(redacted({"pass", "password"}, "password pass"), "[redacted] [redacted]");
  EXPECT_EQ(redacted({"abcdef", "defghi"}, "abcdefghi!"), "[redacted]!");
}

TEST(RedactorTest, KnowsASecretOfSeveralLinesByEachOfThem) {
  EXPECT_EQ(redacted({"-----BEGIN\r\n  MIIEvQ\n"}, "MIIEvQ"), "[redacted]");
}

TEST(RedactorTest, LeavesWhatIsTooShortToMeanAnything) {
  EXPECT_EQ(redacted({"abc", "\nx\n"}, "abc x"), "abc x");
  EXPECT_EQ(redacted({"abcd"}, "abcd"), "[redacted]");
  EXPECT_EQ(redacted({"abcde"}, "YWJjZGU="), "YWJjZGU=") << "base64 of five bytes";
}

TEST(RedactorTest, DoesNotSearchItsOwnMark) { EXPECT_EQ(redacted({"redacted"}, "redacted"), "[redacted]"); }

TEST(RedactorTest, FindsBase64AtEveryOffset) {
  // echo -n "hunter2>>?", ":hunter2>>?", …, each | base64
  for (const auto* line : {"aHVudGVyMj4+Pw==", "Omh1bnRlcjI+Pj8=", "YTpodW50ZXIyPj4/", "YWI6aHVudGVyMj4+Pw=="}) {
    for (const bool for_urls : {false, true}) {
      std::string encoded = line;
      if (for_urls) {
        for (char& character : encoded) character = character == '+' ? '-' : character == '/' ? '_' : character;
        encoded.erase(encoded.find_last_not_of('=') + 1);
      }
      const auto shown = redacted({"hunter2>>?"}, "Basic " + encoded + "!");
      EXPECT_TRUE(shown.ends_with("[redacted]!")) << shown;
      EXPECT_LE(shown.size(), std::string_view("Basic YWI6[redacted]!").size()) << shown;
    }
  }
  EXPECT_EQ(redacted({"hunter2>>?"}, "aHVudGVyMj4%2bPw%3D%3D"), "[redacted]") << "in a URL";
}

TEST(RedactorTest, FindsPercentEscapes) {
  const std::vector<std::string> secrets{"a b/c@d:é"};
  for (const auto* line : {"a%20b%2Fc%40d%3A%C3%A9", "a%20b/c%40d:%c3%a9", "a+b%2fc@d%3Aé", "%61%20%62/%63%40d:é"}) {
    EXPECT_EQ(redacted(secrets, "https://u:" + std::string(line) + "@host"), "https://u:[redacted]@host");
  }
  EXPECT_EQ(redacted({"100%41 sure"}, "it is 100%41 sure, 5%"), "it is [redacted], 5%") << "no escape of its own";
}

TEST(RedactorTest, FindsWhatJsonAndShellsEscape) {
  const std::vector<std::string> secrets{"q\"uo\\te/é😀'x\ty"};
  for (const auto* line :
       {R"(q\"uo\\te/é😀'x\ty)", R"(q\"uo\\te\/\u00e9\ud83d\ude00'x\u0009y)",
        R"(q\"uo\\te/\u00E9\uD83D\uDE00\u0027x\ty)", R"(q\"uo\\te/é😀'\''x\ty)", R"(q\"uo\\te/é😀'"'"'x\ty)"}) {
    EXPECT_EQ(redacted(secrets, "{\"p\":\"" + std::string(line) + "\"}"), "{\"p\":\"[redacted]\"}") << line;
  }
  EXPECT_EQ(redacted({"it's'"}, R"(it\'s'")"), R"([redacted]")") << "ends like a shell's quote";
  EXPECT_EQ(redacted({"a $b&c"}, R"(a\ \$b\&c)"), "[redacted]") << "printf %q";
}

TEST(RedactorTest, HoldsBackWhatMayBeTheBeginningOfASecret) {
  const auto redactor = redactor_of({"hunter22", "abcd", "cdef\"g", "Grün7"});
  const auto settled = [&](std::string_view text) { return redactor.settled(text); };
  EXPECT_EQ(settled("nothing"), 7U);
  EXPECT_EQ(settled("the hunter"), 4U);
  EXPECT_EQ(settled("the hunter22 "), 13U);
  EXPECT_EQ(settled("the hunter22"), 4U) << "padding may follow";
  EXPECT_EQ(settled("h"), 0U);
  EXPECT_EQ(settled("abcd"), 0U) << "the second may begin in the first";
  EXPECT_EQ(settled("x hunt%65"), 2U);
  EXPECT_EQ(settled("x hunt%6"), 2U);
  EXPECT_EQ(settled("x %6"), 2U);
  EXPECT_EQ(settled(R"(x cdef\)"), 2U);
  EXPECT_EQ(settled(R"(x Gr\u00)"), 2U);
  EXPECT_EQ(settled("50% of"), 6U);
  EXPECT_EQ(settled("50 %"), 4U);
  EXPECT_EQ(settled("hunter%"), 0U);
  EXPECT_EQ(Redactor().settled("hunter"), 6U);
}

}  // namespace
}  // namespace pushrod
