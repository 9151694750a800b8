// Host names: what is refused and why, that nothing is repaired, and names outside of ASCII.
#include "model/host_name.hh"

#include <gtest/gtest.h>

#include <vector>

#include "base/error.hh"

namespace pushrod {
namespace {

using std::string_literals::operator""s;

std::string refusal(const std::string& text) {
  try {
    return "accepted as " + HostName::parse(text).str();
  } catch (const UserError& error) {
    return error.what();
  }
}

TEST(HostName, IsKeptAsGiven) {
  for (const std::string text : {"example.com", "www.example.com", "localhost", "a-b.1.example", "*.example.com",
                                 "1and1.de", "xn--bcher-kva.example", "ab--cd.example"}) {
    EXPECT_EQ(HostName::parse(text).str(), text);
  }
}

TEST(HostName, RefusalsSayWhatToWrite) {
  EXPECT_EQ(refusal(""), "host \"\" is empty: give a name such as www.example.com");
  EXPECT_EQ(refusal("WWW.Example.com"), "host \"WWW.Example.com\" has upper-case letters: write www.example.com");
  EXPECT_EQ(refusal("example.com."), "host \"example.com.\" ends in '.': leave the final dot out");
  EXPECT_EQ(refusal("https://example.com"),
            "host \"https://example.com\" is an address: give only its host name, without http://");
  EXPECT_EQ(refusal("example.com/app"), "host \"example.com/app\" has a path: give only the host name");
  EXPECT_EQ(refusal("example.com:8080"), "host \"example.com:8080\" has a port: give only the host name");
  EXPECT_EQ(refusal("192.0.2.7"), "host \"192.0.2.7\" is an IP address: give a name such as www.example.com");
  EXPECT_EQ(refusal("[2001:db8::1]"), "host \"[2001:db8::1]\" is an IP address: give a name such as www.example.com");
  EXPECT_EQ(refusal("example.1"), "host \"example.1\" ends in a number: give a name such as www.example.com");
  EXPECT_EQ(refusal("a_b.example"), "host \"a_b.example\" contains \"_\": use letters, digits, '-' and '.'");
  EXPECT_EQ(refusal("-a.example"),
            "host \"-a.example\" has a part that begins with '-': "
            "begin it with a letter or a digit");
  EXPECT_EQ(refusal("a-.example"), "host \"a-.example\" has a part that ends in '-': end it in a letter or a digit");
  EXPECT_EQ(refusal("a..example"), "host \"a..example\" has an empty part: put one dot between two parts");
  EXPECT_EQ(refusal("w*.example.com"),
            "host \"w*.example.com\" has a '*' inside: a wildcard is the whole first part: *.example.com");
}

TEST(HostName, HostileTextIsRefused) {
  for (const std::string& text : std::vector<std::string>{" ",
                                                          "a b.example",
                                                          "a\n",
                                                          "a\0b.example"s,
                                                          "\0"s,
                                                          "a\x1b[31m",
                                                          "a\xff.example",
                                                          "*",
                                                          "*.",
                                                          "*.*.example.com",
                                                          "www.*.com",
                                                          "-",
                                                          "--upload-pack=x",
                                                          "..",
                                                          ".example",
                                                          "$(id).example",
                                                          "a;b.example",
                                                          "@",
                                                          "a@b.example",
                                                          "%41.example"}) {
    EXPECT_EQ(refusal(text).substr(0, 5), "host ") << text;
  }
}

TEST(HostName, HasAtMost253Bytes) {
  const auto label = std::string(63, 'a');
  const auto longest = label + "." + label + "." + label + "." + std::string(61, 'a');
  EXPECT_EQ(HostName::parse(longest).str().size(), 253u);
  EXPECT_NE(refusal(longest + "a").find("254 bytes"), std::string::npos);
  EXPECT_NE(refusal(label + "a.example").find("a part of 64 bytes"), std::string::npos);
  EXPECT_NE(refusal("*." + longest).find("255 bytes"), std::string::npos);
}

TEST(HostName, OutsideOfAsciiIsKeptInTheFormOfDns) {
  const auto host = HostName::parse("bücher.example");
  EXPECT_EQ(host.str(), "xn--bcher-kva.example");
  EXPECT_EQ(host.unicode(), "bücher.example");
  EXPECT_EQ(HostName::parse("xn--bcher-kva.example"), host);
  EXPECT_EQ(HostName::parse("*.straße.example").str(), "*.xn--strae-oqa.example");
  EXPECT_EQ(HostName::parse("*.straße.example").unicode(), "*.straße.example");
  EXPECT_EQ(HostName::parse("www.example.com").unicode(), "www.example.com");
}

TEST(HostName, OtherSpellingsOfTheSameNameAreRefused) {
  EXPECT_EQ(refusal("BÜCHER.example").find("accepted"), std::string::npos);
  EXPECT_EQ(refusal("Ümlaut.example"), "host \"Ümlaut.example\" is not in its normal spelling: write ümlaut.example");
  EXPECT_EQ(refusal("ａpp.example").find("accepted"), std::string::npos);  // full-width a
  EXPECT_EQ(refusal("bu\xcc\x88"
                    "cher.example")
                .find("accepted"),
            std::string::npos);                                                       // u and a combining accent
  EXPECT_EQ(refusal("app\xe2\x80\x8b.example").find("accepted"), std::string::npos);  // a zero-width space
  EXPECT_EQ(refusal("a。example").find("accepted"), std::string::npos);               // an ideographic full stop
  EXPECT_EQ(refusal("xn--a.example").find("accepted"), std::string::npos);
  EXPECT_EQ(refusal("xn--zz-.example").find("accepted"), std::string::npos);
}

TEST(HostName, WildcardCoversOneLabel) {
  const auto wildcard = HostName::parse("*.example.com");
  EXPECT_TRUE(wildcard.is_wildcard());
  EXPECT_TRUE(wildcard.covers(HostName::parse("www.example.com")));
  EXPECT_TRUE(wildcard.covers(wildcard));
  EXPECT_FALSE(wildcard.covers(HostName::parse("example.com")));
  EXPECT_FALSE(wildcard.covers(HostName::parse("a.b.example.com")));
  EXPECT_FALSE(wildcard.covers(HostName::parse("www.example.org")));
  EXPECT_FALSE(HostName::parse("example.com").covers(HostName::parse("www.example.com")));
}

TEST(HostName, OfAnAppIsBelowTheDomain) {
  EXPECT_EQ(HostName::of_app(AppName::parse("blog"), "apps.example.com").str(), "blog.apps.example.com");
  // A legal name of an app, if not of anything in Unicode.
  EXPECT_EQ(HostName::of_app(AppName::parse("xn--zz"), "localhost").str(), "xn--zz.localhost");
  EXPECT_EQ(HostName::of_app(AppName::parse("xn--zz"), "localhost").unicode(), "xn--zz.localhost");
}

}  // namespace
}  // namespace pushrod
