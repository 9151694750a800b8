// Secrets do not show, and are found in output wherever they stand.
#include "base/secret.hh"

#include <gtest/gtest.h>

namespace pushrod {
namespace {

std::string redacted(const std::vector<std::string>& secrets, const std::string& line) {
  Redactor redactor;
  for (const auto& secret : secrets) redactor.add(Secret(secret));
  return redactor.redact(line);
}

TEST(Secrets, PrintNothingOfThemselves) { EXPECT_EQ(fmt::format("{}", Secret("geheim")), "[secret]"); }

TEST(Secrets, AreRedactedWhereverTheyStand) {
  EXPECT_EQ(redacted({"geheim"}, "geheim, and geheimgeheim"), "[redacted], and [redacted][redacted]");
  EXPECT_EQ(redacted({"geheim"}, "nothing of it"), "nothing of it");
  EXPECT_EQ(redacted({}, "geheim"), "geheim");
}

TEST(Secrets, TheLongerOfTwoGoesFirst) {
  EXPECT_EQ(redacted({"pass", "password"}, "password pass"), "[redacted] [redacted]");
}

TEST(Secrets, OfSeveralLinesAreKnownByEachOfThem) {
  EXPECT_EQ(redacted({"-----BEGIN\r\nMIIEvQ\n"}, "MIIEvQ"), "[redacted]");
}

TEST(Secrets, TooShortToMeanAnythingAreLeftAlone) {
  EXPECT_EQ(redacted({"abc", "\nx\n"}, "abc x"), "abc x");
  EXPECT_EQ(redacted({"abcd"}, "abcd"), "[redacted]");
}

TEST(Secrets, TheMarkIsNotSearchedAgain) { EXPECT_EQ(redacted({"redacted"}, "redacted"), "[redacted]"); }

}  // namespace
}  // namespace pushrod
