#include "deploy/renewal_info.hh"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/text.hh"
#include "certificates/openssl.hh"
#include "certificates/pem.hh"
#include "fetch/fetch.hh"
#include "os/files.hh"

namespace pushrod {

namespace {

using Json = nlohmann::json;

constexpr std::chrono::hours kAskAgain{6};
constexpr std::chrono::minutes kSoonest{1};
constexpr std::chrono::hours kLatest{24};

std::filesystem::path file_of(const Layout& layout, const Certificate& certificate) {
  return layout.renewals() / certificate.fingerprint;
}

// {"ask": seconds, "start": seconds, "end": seconds}, the last two when the CA has said a window.
struct Known {
  WallTime ask;
  std::optional<RenewalWindow> window{};
};

std::int64_t seconds_of(WallTime time) {
  return std::chrono::duration_cast<std::chrono::seconds>(time.time_since_epoch()).count();
}
WallTime time_of(const Json& seconds) { return WallTime(std::chrono::seconds(seconds.get<std::int64_t>())); }

std::optional<Known> read_known(const Layout& layout, const Certificate& certificate) {
  const auto text = read_file(file_of(layout, certificate));
  if (!text) return std::nullopt;
  try {
    const auto json = Json::parse(*text);
    Known known{time_of(json.at("ask"))};
    if (json.contains("start")) known.window = {time_of(json.at("start")), time_of(json.at("end"))};
    return known;
  } catch (const Json::exception&) {
    return std::nullopt;
  }
}

void write_known(const Layout& layout, const Certificate& certificate, const Known& known) {
  Json json{{"ask", seconds_of(known.ask)}};
  if (known.window) {
    json["start"] = seconds_of(known.window->start);
    json["end"] = seconds_of(known.window->end);
  }
  make_directory(layout.renewals());
  write_file(file_of(layout, certificate), json.dump() + "\n", 0600, false);
}

FetchAnswer ask(const AcmeSettings& acme, const std::string& url) {
  return fetch({.url = url, .ca_file = acme.ca_file, .deadline = Milliseconds{10'000}});
}

// Empty for a CA that says nothing of renewals.
std::string address_of_renewals(const AcmeSettings& acme) {
  const auto directory = Json::parse(ask(acme, acme.directory).body, nullptr, false);
  if (!directory.is_object() || !directory.contains("renewalInfo")) return {};
  const auto& url = directory.at("renewalInfo");
  return url.is_string() ? url.get<std::string>() : std::string();
}

Known ask_about(const Platform& platform, const std::string& address, const Certificate& certificate, WallTime now) {
  Known known{now + kAskAgain};
  const auto text = read_file(platform.layout.certificate(certificate.host));
  const auto id = text ? renewal_id(parse_pem(*text).chain.front()) : std::nullopt;
  if (!id) return known;
  auto answer = ask(*platform.settings.acme, address + "/" + *id);
  if (answer.status != 200) return known;
  known.window = parse_renewal_info(answer.body);
  if (const auto seconds = parse_unsigned(answer.headers["retry-after"])) {
    known.ask = std::clamp<WallTime>(now + std::chrono::seconds(std::min<unsigned long>(*seconds, 1'000'000)),
                                     now + kSoonest, now + kLatest);
  }
  return known;
}

}  // namespace

std::optional<RenewalWindow> parse_renewal_info(std::string_view text) {
  const auto json = Json::parse(text, nullptr, false);
  const auto window = json.is_object() ? json.find("suggestedWindow") : json.end();
  if (window == json.end() || !window->is_object()) return std::nullopt;
  const auto time = [&](const char* name) -> std::optional<WallTime> {
    const auto value = window->find(name);
    if (value == window->end() || !value->is_string()) return std::nullopt;
    return parse_time(value->get<std::string>());
  };
  const auto start = time("start"), end = time("end");
  if (!start || !end || *end < *start) return std::nullopt;
  return RenewalWindow{*start, *end};
}

std::optional<RenewalWindow> renewal_window(const Layout& layout, const Certificate& certificate) {
  const auto known = read_known(layout, certificate);
  return known ? known->window : std::nullopt;
}

WallTime ask_for_renewals(const Platform& platform, const std::vector<Certificate>& certificates, WallTime now) {
  auto next = now + kAskAgain;
  std::set<std::string> kept;
  std::optional<std::string> address;
  for (const auto& certificate : certificates) {
    kept.insert(certificate.fingerprint);
    auto known = read_known(platform.layout, certificate);
    // A clock that was wrong must not keep us from asking for years.
    if (!known || known->ask <= now || known->ask > now + kLatest) {
      if (!address) address = address_of_renewals(*platform.settings.acme);
      const auto before = known ? known->window : std::nullopt;
      known = address->empty() ? Known{now + kAskAgain} : ask_about(platform, *address, certificate, now);
      if (!known->window) known->window = before;
      write_known(platform.layout, certificate, *known);
    }
    next = std::min(next, known->ask);
  }
  for (const auto& name : list_directory(platform.layout.renewals())) {
    if (!kept.contains(name)) remove_file(platform.layout.renewals() / name);
  }
  return next;
}

}  // namespace pushrod
