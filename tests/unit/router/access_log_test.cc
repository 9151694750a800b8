// What access lines say, also when a client or a cut made them strange.
#include "router/access_log.hh"

#include <gtest/gtest.h>

namespace pushrod {
namespace {

TEST(AccessLine, SaysWhatBecameOfARequest) {
  const auto line = parse_access_line("= app.blog 200 1234 15 -- 192.0.2.7 GET /about?x=1");
  ASSERT_TRUE(line);
  EXPECT_EQ(line->back_end, "app.blog");
  EXPECT_EQ(line->status, 200u);
  EXPECT_EQ(line->bytes, 1234u);
  EXPECT_EQ(line->duration, Milliseconds{15});
  EXPECT_EQ(line->text(), "GET /about?x=1 200 1234 B 15 ms 192.0.2.7");
}

TEST(AccessLine, SaysHowARequestEndedThatDidNotEndWell) {
  const auto line = parse_access_line("= app.blog -1 0 -1 CR ::1 <BADREQ> ");
  ASSERT_TRUE(line);
  EXPECT_EQ(line->status, 0u);
  EXPECT_EQ(line->duration, Milliseconds{0});
  EXPECT_EQ(line->text(), "<BADREQ>  0 0 B 0 ms ::1 CR");
}

TEST(AccessLine, HasThePathOfAnAbsoluteTarget) {
  const auto path = [](const std::string& target) {
    return parse_access_line("= app.blog 200 1 1 -- ::1 GET " + target).value().path;
  };
  EXPECT_EQ(path("http://blog.localhost:80/a?b=c://d"), "/a?b=c://d");
  EXPECT_EQ(path("http://blog.localhost"), "/");
  EXPECT_EQ(path("http://blog.localhost?a"), "/?a");
  EXPECT_EQ(path("/a://b"), "/a://b");
  EXPECT_EQ(path("*"), "*");
}

TEST(AccessLine, IsNothingElse) {
  const std::string whole = "= app.blog 200 1234 15 -- 192.0.2.7 GET";
  for (std::size_t size = 0; size + 3 < whole.size(); ++size) EXPECT_FALSE(parse_access_line(whole.substr(0, size)));
  EXPECT_FALSE(parse_access_line("[NOTICE] (12583) : New worker (12606) forked"));
  EXPECT_FALSE(parse_access_line("= app.blog 200 many 15 -- 192.0.2.7 GET /"));
}

}  // namespace
}  // namespace pushrod
