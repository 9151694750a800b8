// Header names as regular expressions. They are made of letters, digits and "-", so nothing needs a backslash.
#include "router/client_claims.hh"

#include <algorithm>
#include <vector>

#include "base/text.hh"

namespace pushrod {

namespace {

constexpr auto kNotInTrailers = std::to_array<std::string_view>({
    "Authorization",
    "Connection",
    "Content-*",
    "Cookie",
    "Expect",
    "Host",
    "Keep-Alive",
    "TE",
    "Trailer",
    "Transfer-Encoding",
    "Upgrade",
});

char lower(char character) {
  return character >= 'A' && character <= 'Z' ? static_cast<char>(character - 'A' + 'a') : character;
}

template <typename Names>
void append_patterns(std::vector<std::string>& patterns, const Names& names) {
  for (std::string_view name : names) {
    const bool is_prefix = name.ends_with('*');
    if (is_prefix) name.remove_suffix(1);
    std::string pattern(name);
    std::transform(pattern.begin(), pattern.end(), pattern.begin(), lower);
    patterns.push_back(is_prefix ? pattern + ".*" : pattern);
  }
}

}  // namespace

std::string client_claims_pattern() {
  std::vector<std::string> patterns;
  append_patterns(patterns, kClientClaims);
  return "^(" + join(patterns, "|") + ")$";
}

std::string client_claims_pattern_with_underscores() {
  std::string pattern;
  for (const char character : client_claims_pattern()) {
    pattern += character == '-' ? std::string("[_-]") : std::string(1, character);
  }
  return pattern;
}

std::string forbidden_trailers_pattern() {
  std::vector<std::string> patterns;
  append_patterns(patterns, kClientClaims);
  append_patterns(patterns, kNotInTrailers);
  return "^(" + join(patterns, "|") + ")$";
}

}  // namespace pushrod
