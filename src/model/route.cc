// The rule of path prefixes.
#include "model/route.hh"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.hh"
#include "base/text.hh"

namespace pushrod {

namespace {

constexpr std::size_t kLongestPrefix = 200;
constexpr unsigned kMostSegments = 4;

[[noreturn]] void refuse(std::string_view text, std::string_view reason, std::string_view remedy) {
  throw UserError(fmt::format("path {} {}: {}", quoted(text), reason, remedy));
}

// RFC 3986, section 2.3: what is never escaped, so that there is one spelling.
bool is_unreserved(char character) {
  return (character >= 'a' && character <= 'z') || (character >= 'A' && character <= 'Z') ||
         (character >= '0' && character <= '9') || std::string_view("-._~").find(character) != std::string_view::npos;
}

}  // namespace

PathPrefix PathPrefix::parse(std::string_view text) {
  if (!text.starts_with('/')) refuse(text, "does not begin with '/'", "write it as in /shop");
  if (text == "/") refuse(text, "is the whole host", "leave it out");
  if (text.back() == '/') refuse(text, "ends in '/'", "leave the final '/' out");
  if (text.size() > kLongestPrefix) refuse(text, fmt::format("has {} bytes", text.size()), "use at most 200");
  const auto parts = split(text.substr(1), '/');
  for (const auto& part : parts) {
    if (part.empty()) refuse(text, "has two '/' in a row", "use one");
    if (part == "." || part == "..") refuse(text, fmt::format("has the part {}", quoted(part)), "leave it out");
    const auto wrong = std::find_if_not(part.begin(), part.end(), is_unreserved);
    if (wrong != part.end()) {
      refuse(text, fmt::format("contains {}", quoted(std::string_view(&*wrong, 1))),
             "use letters, digits and \"-._~\" between the '/'");
    }
  }
  if (parts.size() > kMostSegments) refuse(text, fmt::format("has {} parts", parts.size()), "use at most 4");
  return PathPrefix{std::string(text)};
}

unsigned PathPrefix::segments() const { return static_cast<unsigned>(std::count(text_.begin(), text_.end(), '/')); }

RoutePoint RoutePoint::parse(std::string_view text) {
  const auto slash = text.find("://") == text.npos ? text.find('/') : text.npos;
  if (slash == text.npos) return {HostName::parse(text)};
  return {HostName::parse(text.substr(0, slash)), PathPrefix::parse(text.substr(slash))};
}

}  // namespace pushrod
