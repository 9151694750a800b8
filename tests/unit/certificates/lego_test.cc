// What lego is told, what it answers, and what it may leave behind.
#include "certificates/lego.hh"

#include <gmock/gmock.h>

#include "os/files.hh"

namespace pushrod {
namespace {

using testing::Contains;
using testing::ElementsAre;

const auto kHost = HostName::parse("www.example.com");

TEST(Lego, OrdersForOneHostWithAChallengeOverHttp) {
  const AcmeSettings acme{"https://ca.example/dir", "you@example.com", "/etc/ca.pem", {}};
  const auto command = lego_command(Layout("/srv"), acme, kHost, {});
  EXPECT_THAT(command.argv,
              ElementsAre("lego", "--accept-tos", "--email=you@example.com", "--server=https://ca.example/dir",
                          "--path=/srv/certificates/acme", "--key-type=ec256", "--http",
                          "--http.webroot=/srv/run/router/challenges", "--domains=www.example.com", "run"));
  EXPECT_EQ(command.environment.at("LEGO_CA_CERTIFICATES"), "/etc/ca.pem");
  EXPECT_FALSE(lego_command(Layout("/srv"), {}, kHost, {}).environment.contains("LEGO_CA_CERTIFICATES"));
}

TEST(Lego, GetsTheVariablesOfADnsProviderInItsEnvironmentAlone) {
  AcmeSettings acme{"https://ca.example/dir", "you@example.com", "", {}};
  const DnsProvider dns{"cloudflare", {{"CF_DNS_API_TOKEN", Secret("hunter22")}}};
  const auto wildcard = HostName::parse("*.example.com");
  const auto command = lego_command(Layout("/srv"), acme, wildcard, dns);
  EXPECT_THAT(command.argv, ElementsAre("lego", "--accept-tos", "--email=you@example.com",
                                        "--server=https://ca.example/dir", "--path=/srv/certificates/acme",
                                        "--key-type=ec256", "--dns=cloudflare", "--domains=*.example.com", "run"));
  EXPECT_EQ(command.environment.at("CF_DNS_API_TOKEN"), "hunter22");
  acme.dns_resolvers = {"192.0.2.53:53"};
  const auto asking = lego_command(Layout("/srv"), acme, wildcard, dns).argv;
  EXPECT_THAT(asking, Contains("--dns.resolvers=192.0.2.53:53"));
  EXPECT_THAT(asking, Contains("--dns.disable-cp"));
}

TEST(Lego, DocumentsTheVariablesOfADnsProvider) {
  EXPECT_THAT(parse_provider_help("Configuration for X.\nCredentials:\n  - \"X_KEY\":    a \"key\"\n\n"
                                  "Additional Configuration:\n  - \"X_TTL\": time\n"),
              ElementsAre("X_KEY", "X_TTL"));
  EXPECT_TRUE(variables_of_dns_provider("httpreq")->contains("HTTPREQ_ENDPOINT"));
  EXPECT_FALSE(variables_of_dns_provider("nosuch"));
}

TEST(Lego, TellsWhyADnsProviderFailed) {
  EXPECT_EQ(parse_lego_failure("2026/11/30 01:47:07 Could not obtain certificates:\n"
                               "\terror: one or more domains had a problem:\n"
                               "[*.example.com] [*.example.com] acme: error presenting token: httpreq: refused\n")
                .error,
            "error presenting token: httpreq: refused");
}

TEST(Lego, TellsWhyTheCaRefused) {
  const auto failure = parse_lego_failure(R"(2026/11/29 19:53:43 [INFO] [w.example.com] acme: Trying to solve HTTP-01
2026/11/29 19:53:43 [INFO] retry due to: acme: error: 400 :: POST :: https://ca/x :: urn:ietf:params:acme:error:badNonce :: old
2026/11/29 19:53:43 Could not obtain certificates:
	error: one or more domains had a problem:
[w.example.com] acme: error: 400 :: urn:ietf:params:acme:error:connection :: 192.0.2.1: connection refused, url: 
)");
  EXPECT_EQ(failure.error, "connection: 192.0.2.1: connection refused");
  EXPECT_FALSE(failure.not_before);
}

TEST(Lego, TellsThatTheCaIsNotThere) {
  EXPECT_EQ(
      parse_lego_failure("2026/11/29 19:53:43 Could not create client: get directory: connection refused\n").error,
      "Could not create client: get directory: connection refused");
  EXPECT_EQ(parse_lego_failure("").error, "lego does not say why");
}

TEST(Lego, TellsHowLongTheCaWantsUsToWait) {
  for (const std::string time : {"2026-11-30 10:00:00 UTC", "2026-11-30T10:00:00Z"}) {
    const auto failure = parse_lego_failure(
        "2026/11/29 19:53:43 Could not obtain certificates:\n\tacme: error: 429 :: POST :: https://ca/new-order :: "
        "urn:ietf:params:acme:error:rateLimited :: too many certificates, retry after " +
        time + ": see https://letsencrypt.org/docs/rate-limits/\n");
    ASSERT_TRUE(failure.not_before) << time;
    EXPECT_EQ(to_epoch_milliseconds(*failure.not_before), 1'796'032'800'000);
  }
}

TEST(Lego, FindsNothingHalfWrittenOfAnOrderThatWasKilled) {
  char pattern[] = "/tmp/lego.XXXXXX";
  const Layout layout(mkdtemp(pattern));
  const auto account = layout.acme() / "accounts" / "ca" / "you@example.com";
  const auto write = [&](const std::string& key, const std::string& json) {
    make_directory(account / "keys");
    write_file(account / "keys" / "you@example.com.key", key);
    write_file(account / "account.json", json);
  };
  const std::string key = "-----BEGIN EC PRIVATE KEY-----\nAAAA\n-----END EC PRIVATE KEY-----\n";
  write(key, "{\"email\": \"you@example.com\"}\n");
  make_directory(layout.acme() / "certificates");
  make_directory(layout.challenges());
  write_file(layout.challenges() / "old", "x");
  prepare_for_lego(layout);
  EXPECT_TRUE(is_plain_file(account / "account.json"));
  EXPECT_FALSE(is_directory(layout.acme() / "certificates"));
  EXPECT_TRUE(list_directory(layout.challenges()).empty());
  write(key, "{\"email");
  prepare_for_lego(layout);
  EXPECT_FALSE(is_plain_file(account / "account.json"));
  EXPECT_THAT(list_directory(account / "keys"), Contains("you@example.com.key"));
  write("-----BEGIN EC", "{}");
  prepare_for_lego(layout);
  EXPECT_FALSE(is_directory(account));
  remove_tree(layout.root());
}

}  // namespace
}  // namespace pushrod
