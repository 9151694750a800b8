// Path prefixes and the points where routes begin: what is refused, and that nothing is repaired.
#include "model/route.hh"

#include <gtest/gtest.h>

#include "base/error.hh"

namespace pushrod {
namespace {

std::string refusal(const std::string& text) {
  try {
    return "accepted as " + RoutePoint::parse(text).str();
  } catch (const UserError& error) {
    return error.what();
  }
}

TEST(RoutePoint, IsAHostWithOrWithoutAPrefix) {
  EXPECT_EQ(RoutePoint::parse("www.example.com").str(), "www.example.com");
  EXPECT_TRUE(RoutePoint::parse("www.example.com").prefix.empty());
  const auto point = RoutePoint::parse("*.example.com/shop/EU-1~");
  EXPECT_EQ(point.host.str(), "*.example.com");
  EXPECT_EQ(point.prefix.str(), "/shop/EU-1~");
  EXPECT_EQ(point.prefix.segments(), 2u);
  EXPECT_EQ(RoutePoint::parse("bücher.example/a").unicode(), "bücher.example/a");
}

TEST(RoutePoint, RefusalsSayWhatToWrite) {
  EXPECT_EQ(refusal("example.com/"), "path \"/\" is the whole host: leave it out");
  EXPECT_EQ(refusal("example.com/shop/"), "path \"/shop/\" ends in '/': leave the final '/' out");
  EXPECT_EQ(refusal("example.com//shop"), "path \"//shop\" has two '/' in a row: use one");
  EXPECT_EQ(refusal("example.com/a/../b"), "path \"/a/../b\" has the part \"..\": leave it out");
  EXPECT_EQ(refusal("example.com/a b"),
            "path \"/a b\" contains \" \": use letters, digits and \"-._~\" between the '/'");
  EXPECT_EQ(refusal("example.com/%41").substr(0, 5), "path ");
  EXPECT_EQ(refusal("example.com/a?b").substr(0, 5), "path ");
  EXPECT_EQ(refusal("example.com/a;b").substr(0, 5), "path ");
  EXPECT_EQ(refusal("example.com/a\n").substr(0, 5), "path ");
  EXPECT_EQ(refusal("example.com/a/b/c/d/e"), "path \"/a/b/c/d/e\" has 5 parts: use at most 4");
  EXPECT_EQ(refusal("example.com/" + std::string(200, 'a')).find("accepted"), std::string::npos);
  EXPECT_EQ(refusal("http://example.com/a"),
            "host \"http://example.com/a\" is an address: give only its host name, without http://");
}

}  // namespace
}  // namespace pushrod
