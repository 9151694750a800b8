// What is concluded from DNS about a domain, and who may ask.
#include "operate/domain_check.hh"

#include "fixtures.hh"

namespace pushrod {
namespace {

using testing::HasSubstr;
using State = DnsAnswer::State;

DomainFacts facts() {
  return {HostName::parse("www.example.com"),
          {State::Found, {"203.0.113.7"}},
          {State::NoRecord, {}},
          {State::NoRecord, {}},
          {"10.0.0.5", "203.0.113.7"},
          "shop",
          false};
}

std::string problems(const DomainFacts& facts) {
  std::string text;
  for (const auto& problem : problems_of(facts)) text += problem.text + " | " + problem.remedy + "\n";
  return text;
}

TEST(DomainProblems, AreNoneWhenDnsLeadsHere) { EXPECT_EQ(problems(facts()), ""); }

TEST(DomainProblems, SayWhichRecordToSet) {
  auto missing = facts();
  missing.v4 = {State::NoSuchName, {}};
  EXPECT_EQ(problems(missing),
            "www.example.com does not exist in DNS | set www.example.com A 203.0.113.7 at your DNS provider\n");
  missing.v4 = {State::NoRecord, {}};
  EXPECT_THAT(problems(missing), HasSubstr("has no address in DNS"));
  missing.v4 = missing.v6 = {State::Failed, {}};
  EXPECT_THAT(problems(missing), HasSubstr("DNS does not answer"));
}

TEST(DomainProblems, NameAddressesThatAreNotThisServers) {
  auto elsewhere = facts();
  elsewhere.v6 = {State::Found, {"2001:db8::9"}};
  EXPECT_EQ(problems(elsewhere),
            "DNS leads www.example.com to 2001:db8::9; this server has 10.0.0.5, 203.0.113.7 | set www.example.com A "
            "203.0.113.7 at your DNS provider; remove records that lead elsewhere\n");
  elsewhere.own = {"192.168.1.5"};
  EXPECT_THAT(problems(elsewhere), HasSubstr("forward ports 80 and 443 here"));
}

TEST(DomainProblems, TellWhenCaaForbidsLetsEncrypt) {
  auto strict = facts();
  strict.caa = {State::Found, {"issue other.example", "iodef mailto:x@example.com"}};
  EXPECT_THAT(problems(strict), HasSubstr("allow only other CAs"));
  strict.caa.records.push_back("issue letsencrypt.org");
  EXPECT_EQ(problems(strict), "");
}

TEST(DomainProblems, TellWhenNoAppHasTheDomain) {
  auto free = facts();
  free.app.clear();
  EXPECT_EQ(problems(free), "www.example.com leads to no app | pushrod domain add APP www.example.com\n");
}

TEST(DomainProblems, TellWhatAnswersAtPort80) {
  auto seen = facts();
  seen.answers = {{"203.0.113.7", 404, "", "", true}};
  EXPECT_EQ(problems(seen), "");
  seen.answers = {{"203.0.113.7", 200, "nginx", "", std::nullopt}};
  EXPECT_EQ(problems(seen), "") << "without [acme] it cannot be told whose server it is";
  seen.answers = {{"203.0.113.7", 200, "nginx", "", false}};
  EXPECT_THAT(problems(seen), HasSubstr("another server answers at 203.0.113.7 port 80: nginx, status 200 | "));
  seen.answers = {{"203.0.113.7", 0, "", "Connection refused", std::nullopt}};
  EXPECT_THAT(problems(seen), HasSubstr("this server: Connection refused | open port 80 in the firewalls"));
  seen.http_port = 8080;
  EXPECT_THAT(problems(seen),
              HasSubstr("set [http] listen = \"*:80\" in server.toml, or forward port 80 to port 8080"));
}

TEST(DomainProblems, AreLookedForWhereDnsIsPublic) {
  for (const char* host : {"www.example.com", "*.example.com"}) EXPECT_TRUE(is_worth_checking(HostName::parse(host)));
  for (const char* host : {"shop.localhost", "shop.test", "shop"})
    EXPECT_FALSE(is_worth_checking(HostName::parse(host)));
}

class CheckedDomains : public OperateTest {};

TEST_F(CheckedDomains, OfOthersAreForAdministrators) {
  add_app("secret");
  const auto blog = add_app("blog");
  auto& anna = with_key("anna", Role::Deploy, {blog.name});
  EXPECT_THAT(refusal([&] { check_domain(anna, HostName::parse("secret.example.org")); }), HasSubstr("administrators"));
}

}  // namespace
}  // namespace pushrod
