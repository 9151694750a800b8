#include "model/acme.hh"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/text.hh"

namespace pushrod {

namespace {

using std::chrono::hours;
using std::chrono::minutes;

constexpr std::array kPauses{Milliseconds{minutes{1}}, Milliseconds{minutes{10}}, Milliseconds{minutes{100}},
                             Milliseconds{hours{24}}};
constexpr hours kShortLife{10 * 24};
// A clock that was wrong must not put orders off until the time that it told.
constexpr minutes kFuture{5};

// The same for a host each time, and different for most hosts: 0 to 999.
std::int64_t thousandth_of(const HostName& host) {
  std::uint64_t hash = 0xcbf29ce484222325;
  for (const char character : host.str()) {
    hash ^= static_cast<unsigned char>(character);
    hash *= 0x100000001b3;
  }
  return static_cast<std::int64_t>(hash % 1000);
}

// The last two labels. Where a registry hands out names below "co.uk", this counts hosts together that Let's Encrypt
// counts apart; never the other way round.
std::string_view registered_domain(const HostName& host) {
  const std::string_view name = host.str();
  const auto last = name.rfind('.');
  const auto before = last == name.npos || last == 0 ? name.npos : name.rfind('.', last - 1);
  return before == name.npos ? name : name.substr(before + 1);
}

bool has_failed(const AcmeOrder& order) { return order.ended && !order.error.empty(); }

// https://letsencrypt.org/docs/rate-limits/. An order whose end is not known may have brought a certificate.
struct Limit {
  std::size_t count;
  Milliseconds window;
  const char* text;
  bool (*counts)(const AcmeOrder& order, const HostName& host);
};
constexpr std::array kLimits{
    Limit{300, hours{3}, "300 orders in 3 hours", [](const AcmeOrder&, const HostName&) { return true; }},
    Limit{50, hours{7 * 24}, "50 certificates for hosts of one domain in 7 days",
          [](const AcmeOrder& order, const HostName& host) {
            return !order.renews && !has_failed(order) && registered_domain(order.host) == registered_domain(host);
          }},
    Limit{5, hours{7 * 24}, "5 certificates for one host in 7 days",
          [](const AcmeOrder& order, const HostName& host) { return !has_failed(order) && order.host == host; }},
    Limit{5, hours{1}, "5 failures for one host in an hour",
          [](const AcmeOrder& order, const HostName& host) { return has_failed(order) && order.host == host; }},
};

// The limit on first certificates does not hold for renewals.
bool concerns(const Limit& limit, const AcmeWant& want) { return &limit != &kLimits[1] || !want.certificate; }

void put_off(NextOrder& next, WallTime until, const std::string& reason) {
  if (until <= next.at) return;
  next = {until, reason};
}

// Of orders for the host since the last one that brought a certificate. A process that was killed in the middle is
// tried again at once, but not forever.
void wait_after_failures(NextOrder& next, const std::vector<const AcmeOrder*>& of_host) {
  std::size_t failures = 0, killed = 0;
  for (auto order = of_host.rbegin(); order != of_host.rend(); ++order) {
    if ((*order)->ended && (*order)->error.empty()) break;
    ++((*order)->ended ? failures : killed);
  }
  failures += killed > 1 ? killed - 1 : 0;
  if (failures == 0) return;
  const auto& last = *of_host.back();
  put_off(next, last.ended.value_or(last.begun) + kPauses[std::min(failures, kPauses.size()) - 1],
          fmt::format("the last {} failed", failures == 1 ? "order" : fmt::format("{} orders", failures)));
}

}  // namespace

WallTime due_time(const Certificate& certificate, const std::optional<RenewalWindow>& window) {
  const auto lifetime = certificate.not_after - certificate.not_before;
  if (window && window->start <= window->end) {
    const auto chosen = window->start + (window->end - window->start) / 1'000 * thousandth_of(certificate.host);
    return std::clamp(chosen, certificate.not_before + lifetime / 90, certificate.not_after - lifetime / 6);
  }
  const auto left = lifetime / (lifetime < kShortLife ? 2 : 3);
  return certificate.not_after - left - lifetime / 30'000 * thousandth_of(certificate.host);
}

bool expires_soon(const Certificate& certificate, WallTime now) {
  return certificate.not_after - now < (certificate.not_after - certificate.not_before) / 4;
}

NextOrder next_order(const AcmeWant& want, const std::vector<AcmeOrder>& orders, bool has_limits, WallTime now) {
  NextOrder next{now, "it was asked for"};
  if (!want.is_requested) {
    next = want.certificate ? NextOrder{due_time(*want.certificate, want.window), "it is due"}
                            : NextOrder{now, "there is none yet"};
  }
  std::vector<const AcmeOrder*> known, of_host;
  for (const auto& order : orders) {
    if (order.begun > now + kFuture) continue;
    known.push_back(&order);
    if (order.host == want.host) of_host.push_back(&order);
  }
  if (!want.is_requested) wait_after_failures(next, of_host);
  if (!of_host.empty() && of_host.back()->not_before && *of_host.back()->not_before < now + kAcmeOrderCounts) {
    put_off(next, *of_host.back()->not_before, "the CA asks to wait");
  }
  for (const auto& limit : kLimits) {
    if (!has_limits || !concerns(limit, want)) continue;
    std::vector<WallTime> times;
    for (const auto* order : known) {
      if (order->begun > now - limit.window && limit.counts(*order, want.host)) times.push_back(order->begun);
    }
    if (times.size() < limit.count) continue;
    put_off(next, times[times.size() - limit.count] + limit.window,
            fmt::format("the CA's limit of {} is used up", limit.text));
  }
  return next;
}

std::optional<std::string> why_not_certifiable(const HostName& host, bool is_public, bool has_dns) {
  const std::string_view name = host.str();
  const auto dot = name.rfind('.');
  const auto last = dot == name.npos ? name : name.substr(dot + 1);
  if (last == "localhost") return "localhost is this machine alone";
  constexpr std::array kReserved{"local", "internal", "lan",     "home",  "corp",       "test",
                                 "arpa",  "invalid",  "example", "onion", "localdomain"};
  if (is_public && (dot == name.npos || std::find(kReserved.begin(), kReserved.end(), last) != kReserved.end())) {
    return "it is not a name of the public DNS";
  }
  if (host.is_wildcard() && !has_dns) {
    return "a CA certifies a wildcard only by DNS-01, which needs your DNS provider's credentials (cert dns set); or "
           "give your own certificate (cert add)";
  }
  return std::nullopt;
}

const DnsCredentials* credentials_for(const std::vector<DnsCredentials>& all, const HostName& host) {
  const DnsCredentials* found = nullptr;
  for (const auto& one : all) {
    const bool is_in_zone = one.zone.empty() || host.str() == one.zone || host.str().ends_with("." + one.zone);
    if (is_in_zone && (found == nullptr || one.zone.size() > found->zone.size())) found = &one;
  }
  return found;
}

}  // namespace pushrod
