// DNS answers, byte by byte.
#include "os/dns.hh"

#include <gtest/gtest.h>

namespace pushrod {
namespace {

using std::string_literals::operator""s;

// A response with one question for www.example and these answers.
std::string response(unsigned count, const std::string& answers) {
  return "\x12\x34\x81\x80\0\x01\0"s + static_cast<char>(count) + "\0\0\0\0\3www\7example\0\0\1\0\1"s + answers;
}
std::string record(const std::string& type, const std::string& data) {
  return "\xc0\x0c"s + type + "\0\1\0\0\0\x3c\0"s + static_cast<char>(data.size()) + data;
}
const std::string kA = "\0\1"s, kAaaa = "\0\x1c"s, kCaa = "\1\1"s, kCname = "\0\5"s;

TEST(Dns, AnswersAreReadByType) {
  const auto message = response(4, record(kCname, "\3cdn\xc0\x10"s) + record(kA, "\xcb\0\x71\7"s) +
                                       record(kAaaa, "\x20\1\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x09"s) +
                                       record(kCaa, "\0\5issueletsencrypt.org"s));
  EXPECT_EQ(parse_dns_answer(message, DnsType::A), std::vector<std::string>{"203.0.113.7"});
  EXPECT_EQ(parse_dns_answer(message, DnsType::AAAA), std::vector<std::string>{"2001:db8::9"});
  EXPECT_EQ(parse_dns_answer(message, DnsType::CAA), std::vector<std::string>{"issue letsencrypt.org"});
}

TEST(Dns, WhatCannotBeReadIsLeftOut) {
  const auto message =
      response(3, record(kA, "\xcb\0\x71"s) + record(kCaa, "\0\xffissue"s) + record(kA, "\xcb\0\x71\7"s));
  EXPECT_EQ(parse_dns_answer(message, DnsType::A), std::vector<std::string>{"203.0.113.7"});
  EXPECT_TRUE(parse_dns_answer(message, DnsType::CAA).empty());
  for (std::size_t size = 0; size < message.size(); ++size) {
    EXPECT_LE(parse_dns_answer(message.substr(0, size), DnsType::A).size(), 1u);
  }
}

TEST(Dns, OwnAddressesAreNotThoseOfTheLoopback) {
  for (const auto& address : own_addresses()) {
    EXPECT_NE(address, "127.0.0.1");
    EXPECT_NE(address, "::1");
  }
}

}  // namespace
}  // namespace pushrod
