// When the next order for a host may begin.
#include "model/acme.hh"

#include <gmock/gmock.h>

namespace pushrod {
namespace {

using namespace std::chrono_literals;
using std::chrono::hours;
using testing::HasSubstr;

constexpr auto kDay = 24h;
const auto kNow = from_epoch_milliseconds(1'800'000'000'000);
const auto kHost = HostName::parse("www.example.com");

Certificate certificate(std::chrono::hours lifetime, std::chrono::hours age, const HostName& host = kHost) {
  return {.host = host,
          .source = CertificateSource::Acme,
          .names = {},
          .issuer = {},
          .serial = {},
          .fingerprint = {},
          .not_before = kNow - age,
          .not_after = kNow - age + lifetime,
          .added = kNow - age};
}

AcmeOrder failed(WallTime at, const HostName& host = kHost) { return {1, host, false, at, at, "no route to host", {}}; }
AcmeOrder brought(WallTime at, const HostName& host = kHost) { return {1, host, false, at, at, "", {}}; }
AcmeOrder killed(WallTime at) { return {1, kHost, false, at, {}, "", {}}; }

NextOrder next(const std::vector<AcmeOrder>& orders, bool has_limits = true, const AcmeWant& want = {kHost, {}}) {
  return next_order(want, orders, has_limits, kNow);
}
bool is_due(const NextOrder& order) { return order.at <= kNow; }

TEST(AcmeOrders, AreDueForAHostWithoutACertificate) { EXPECT_TRUE(is_due(next({}))); }

TEST(AcmeOrders, AreDueWhenAThirdOfTheLifetimeIsLeftAndHalfOfAShortOne) {
  for (const auto& [lifetime, part] : {std::pair{90 * kDay, 3}, {45 * kDay, 3}, {6 * kDay, 2}, {24h * 1, 2}}) {
    const auto one = certificate(lifetime, 0h);
    const auto used = lifetime - lifetime / part;
    EXPECT_LE(due_time(one), kNow + used) << lifetime.count();
    EXPECT_GE(due_time(one), kNow + used - Milliseconds(lifetime) / 30) << lifetime.count();
    EXPECT_TRUE(is_due(next({}, true, {kHost, certificate(lifetime, used)})));
    EXPECT_FALSE(is_due(next({}, true, {kHost, certificate(lifetime, used - lifetime / 20)})));
  }
}

TEST(RenewalIsDue, InTheWindowOfTheCa) {
  const auto one = certificate(90 * kDay, 0h);
  const RenewalWindow window{kNow + 10 * kDay, kNow + 12 * kDay};
  EXPECT_GE(due_time(one, window), window.start);
  EXPECT_LE(due_time(one, window), window.end);
  const RenewalWindow past{kNow - 10 * kDay, kNow - 9 * kDay};
  EXPECT_EQ(due_time(one, past), one.not_before + 24h) << "not again and again";
  const RenewalWindow late{kNow + 100 * kDay, kNow + 101 * kDay};
  EXPECT_EQ(due_time(one, late), one.not_after - 15 * kDay);
}

TEST(AcmeOrders, OfManyHostsAreNotDueAtOnce) {
  const auto one = due_time(certificate(90 * kDay, 0h)),
             other = due_time(certificate(90 * kDay, 0h, HostName::parse("api.example.com")));
  EXPECT_NE(one, other);
}

TEST(AcmeOrders, WaitLongerAfterEachFailure) {
  std::vector<AcmeOrder> orders;
  const std::vector<Milliseconds> pauses{1min, 10min, 100min, kDay, kDay};
  for (const auto pause : pauses) {
    for (auto& order : orders) order.begun -= kDay, order.ended = order.begun;
    orders.push_back(failed(kNow - 1s));
    EXPECT_EQ(next(orders, false).at, kNow - 1s + pause);
  }
  EXPECT_THAT(next(orders, false).reason, HasSubstr("the last 5 orders failed"));
  orders.push_back(brought(kNow));
  EXPECT_TRUE(is_due(next(orders, false)));
}

TEST(AcmeOrders, ThatAreAskedForDoNotWaitForThePauseButForTheCa) {
  const AcmeWant want{kHost, certificate(90 * kDay, 1h), true};
  EXPECT_TRUE(is_due(next({failed(kNow - 1s)}, true, want)));
  auto refused = failed(kNow - 1s);
  refused.not_before = kNow + 2h;
  EXPECT_EQ(next({refused}, false, want).at, kNow + 2h);
  EXPECT_THAT(next({refused}, false, want).reason, HasSubstr("the CA asks to wait"));
}

TEST(AcmeOrders, ThatWereKilledBeginAgainButNotForever) {
  EXPECT_TRUE(is_due(next({killed(kNow - 1s)}, false)));
  EXPECT_EQ(next({killed(kNow - 9s), killed(kNow - 1s)}, false).at, kNow - 1s + 1min);
}

TEST(AcmeOrders, StayWithinThePublishedLimits) {
  const AcmeWant want{kHost, {}, true};
  const std::vector same(5, brought(kNow - 24h));
  EXPECT_EQ(next(same, true, want).at, kNow - 24h + 7 * kDay);
  EXPECT_EQ(next(same, true, want).reason, "the CA's limit of 5 certificates for one host in 7 days is used up");
  EXPECT_TRUE(is_due(next(same, false, want))) << "another CA";
  EXPECT_TRUE(is_due(next(std::vector(4, brought(kNow - 24h)), true, want)));

  EXPECT_EQ(next(std::vector(5, failed(kNow - 10min)), true, want).at, kNow + 50min);
  EXPECT_TRUE(is_due(next(std::vector(5, failed(kNow - 61min)), true, want)));

  const auto sibling = HostName::parse("api.example.com");
  std::vector siblings(50, brought(kNow - 6 * kDay, sibling));
  EXPECT_EQ(next(siblings, true, want).at, kNow + kDay);
  EXPECT_TRUE(is_due(next(siblings, true, {kHost, certificate(90 * kDay, 89 * kDay), true}))) << "a renewal";
  for (auto& order : siblings) order.renews = true;
  EXPECT_TRUE(is_due(next(siblings, true, want))) << "renewals do not count";
  EXPECT_TRUE(is_due(next(std::vector(50, brought(kNow - 6 * kDay, HostName::parse("a.example.org"))), true, want)));

  const std::vector many(300, failed(kNow - 2h, HostName::parse("a.example.org")));
  EXPECT_EQ(next(many, true, want).at, kNow + 1h);
}

TEST(AcmeOrders, OfAClockThatWasWrongDoNotCount) { EXPECT_TRUE(is_due(next({failed(kNow + 365 * kDay)}))); }

TEST(Certificates, ExpireSoonWhenAQuarterOfTheLifetimeIsLeft) {
  EXPECT_FALSE(expires_soon(certificate(100h, 74h), kNow));
  EXPECT_TRUE(expires_soon(certificate(100h, 76h), kNow));
  EXPECT_TRUE(expires_soon(certificate(100h, 101h), kNow));
}

TEST(Hosts, ThatNoCaCertifies) {
  EXPECT_FALSE(why_not_certifiable(kHost, true, false));
  EXPECT_THAT(*why_not_certifiable(HostName::parse("*.example.com"), false, false), HasSubstr("DNS-01"));
  EXPECT_FALSE(why_not_certifiable(HostName::parse("*.example.com"), true, true));
  EXPECT_TRUE(why_not_certifiable(HostName::parse("*.localhost"), false, true));
  EXPECT_TRUE(why_not_certifiable(HostName::parse("blog.localhost"), false, false));
  EXPECT_TRUE(why_not_certifiable(HostName::parse("blog.lan"), true, false));
  EXPECT_FALSE(why_not_certifiable(HostName::parse("blog.lan"), false, false)) << "a CA of one's own";
}

TEST(DnsCredentials, AreThoseOfTheLongestZone) {
  const std::vector<DnsCredentials> all{
      {"", "route53", "", {}}, {"example.com", "cloudflare", "", {}}, {"b.example.com", "ovh", "", {}}};
  const auto provider = [&](const std::string& host) { return credentials_for(all, HostName::parse(host))->provider; };
  EXPECT_EQ(provider("*.example.com"), "cloudflare");
  EXPECT_EQ(provider("*.a.example.com"), "cloudflare");
  EXPECT_EQ(provider("*.b.example.com"), "ovh");
  EXPECT_EQ(provider("*.myexample.com"), "route53");
  EXPECT_EQ(credentials_for({{"example.com", "cloudflare", "", {}}}, HostName::parse("*.example.org")), nullptr);
}

}  // namespace
}  // namespace pushrod
