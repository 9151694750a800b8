// Listen addresses.
#include "model/settings.hh"

#include <gtest/gtest.h>

#include "base/error.hh"
#include "base/text.hh"

namespace pushrod {
namespace {

using std::string_literals::operator""s;

TEST(ListenAddresses, AreReadAndWritten) {
  const auto round = [](const std::string& text) { return parse_listen_address(text).str(); };
  EXPECT_EQ(round("127.0.0.1:8080"), "127.0.0.1:8080");
  EXPECT_EQ(round("0.0.0.0:1"), "0.0.0.0:1");
  EXPECT_EQ(round("[::1]:8080"), "[::1]:8080");
  EXPECT_EQ(round("[::ffff:10.0.0.1]:65535"), "[::ffff:10.0.0.1]:65535");
  EXPECT_EQ(round("*:80"), "*:80");
  EXPECT_EQ(round(":80"), "*:80");
  EXPECT_EQ(parse_listen_address("[::1]:22").host, "::1");
  EXPECT_EQ(parse_listen_address("[::1]:22").port, 22);
}

TEST(ListenAddresses, AreRefusedWithTheFormThatIsMeant) {
  for (const std::string& text : {""s,
                                  "8080"s,
                                  ":"s,
                                  "*"s,
                                  "127.0.0.1"s,
                                  "127.0.0.1:"s,
                                  "127.0.0.1:0"s,
                                  "127.0.0.1:65536"s,
                                  "127.0.0.1:-1"s,
                                  "127.0.0.1:80 "s,
                                  " 127.0.0.1:80"s,
                                  "localhost:80"s,
                                  "::1:80"s,
                                  "[::1]"s,
                                  "[::1]:"s,
                                  "[127.0.0.1]:80"s,
                                  "[]:80"s,
                                  "[::1:80"s,
                                  "1.2.3:80"s,
                                  "1.2.3.4.5:80"s,
                                  "256.0.0.1:80"s,
                                  "[::1%lo]:80"s,
                                  "[::1\0x]:80"s,
                                  "1.2.3.4\0x:80"s,
                                  "*:80\n"s,
                                  "http://*:80"s,
                                  "[fe80::1]]:80"s}) {
    try {
      parse_listen_address(text);
      ADD_FAILURE() << quoted(text);
    } catch (const UserError& error) {
      EXPECT_EQ(error.message().find("listen address " + quoted(text)), 0u) << error.message();
      EXPECT_NE(error.message().find("127.0.0.1:8080"), std::string::npos);
    }
  }
}

}  // namespace
}  // namespace pushrod
