// Under which names and paths clients reach an app.
#pragma once

#include <chrono>
#include <compare>
#include <optional>
#include <string>
#include <string_view>

#include "model/host_name.hh"

namespace pushrod {

// Below which path of a host: "" (all of it) or "/shop", "/shop/eu". It matches whole segments: "/shop" and "/shop/1",
// not "/shopping". Case counts, and so does the spelling: "/%73hop" is another path.
class PathPrefix {
 public:
  PathPrefix() = default;  // ""
  // 1 to 4 segments, each of letters, digits and "-._~", none of them "." or ".."; at most 200 bytes; no '/' at the
  // end. Throws UserError, which quotes the text and says the rule.
  static PathPrefix parse(std::string_view text);

  const std::string& str() const noexcept { return text_; }
  bool empty() const noexcept { return text_.empty(); }
  unsigned segments() const;
  auto operator<=>(const PathPrefix&) const = default;

 private:
  explicit PathPrefix(std::string text) : text_(std::move(text)) {}
  std::string text_;
};

// "www.example.com" or "www.example.com/shop": a host belongs to one app per prefix. Of two that match, the one with
// the longer prefix gets the request; a host of its own name wins over a wildcard.
struct RoutePoint {
  HostName host;
  PathPrefix prefix = {};

  static RoutePoint parse(std::string_view text);
  std::string str() const { return host.str() + prefix.str(); }
  // As people write it.
  std::string unicode() const { return host.unicode() + prefix.str(); }
  auto operator<=>(const RoutePoint&) const = default;
};

struct Route {
  RoutePoint point;
  // The app gets "/1" for "/shop/1", and the prefix as X-Forwarded-Prefix.
  bool strip_prefix = false;
  // Clients are sent to this host instead (308), path and query kept.
  std::optional<HostName> redirect_to = {};
  // Strict-Transport-Security of answers over https; absent: none.
  std::optional<std::chrono::seconds> hsts = {};
  auto operator<=>(const Route&) const = default;
};

}  // namespace pushrod
