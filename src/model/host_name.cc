// The rules of host names. Everything but letters, digits and '-' of ASCII is libidn2's business (UTS #46).
#include "model/host_name.hh"

#include <fmt/format.h>
#include <idn2.h>

#include <algorithm>
#include <memory>
#include <optional>

#include "base/error.hh"
#include "base/text.hh"

namespace pushrod {

namespace {

constexpr std::size_t kLongestHost = 253;
constexpr std::size_t kLongestLabel = 63;
constexpr std::string_view kWildcard = "*.";
constexpr std::string_view kEncodedLabel = "xn--";

[[noreturn]] void refuse(std::string_view text, std::string_view reason, std::string_view remedy) {
  throw UserError(fmt::format("host {} {}: {}", quoted(text), reason, remedy));
}

bool is_ascii(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char character) { return static_cast<unsigned char>(character) < 0x80; });
}

bool is_upper(char character) { return character >= 'A' && character <= 'Z'; }

bool is_letter_or_digit(char character) {
  return (character >= 'a' && character <= 'z') || (character >= '0' && character <= '9');
}

bool is_all_digits(std::string_view label) {
  return std::all_of(label.begin(), label.end(), [](char character) { return character >= '0' && character <= '9'; });
}

struct FreeText {
  void operator()(char* text) const { idn2_free(text); }
};
using IdnText = std::unique_ptr<char, FreeText>;

// What a person is likely to have put there beside the name.
void refuse_what_is_not_a_name(std::string_view text) {
  if (text.empty()) refuse(text, "is empty", "give a name such as www.example.com");
  if (text.size() > 4 * kLongestHost) refuse(text, fmt::format("has {} bytes", text.size()), "a name has at most 253");
  if (!is_valid_utf8(text)) refuse(text, "is not valid UTF-8", "give a name such as www.example.com");
  if (text.find("://") != text.npos) refuse(text, "is an address", "give only its host name, without http://");
  if (text.find('/') != text.npos) refuse(text, "has a path", "give only the host name");
  const auto colons = std::count(text.begin(), text.end(), ':');
  if (colons > 1 || text.front() == '[') refuse(text, "is an IP address", "give a name such as www.example.com");
  if (colons == 1) refuse(text, "has a port", "give only the host name");
  if (text.back() == '.') refuse(text, "ends in '.'", "leave the final dot out");
}

// In lower case, for the remedy.
std::string lowered(std::string_view text) {
  std::string result(text);
  std::transform(result.begin(), result.end(), result.begin(),
                 [](char character) { return is_upper(character) ? static_cast<char>(character | 0x20) : character; });
  return result;
}

void check_label(std::string_view text, std::string_view label) {
  if (label.empty()) refuse(text, "has an empty part", "put one dot between two parts");
  if (label.size() > kLongestLabel) {
    refuse(text, fmt::format("has a part of {} bytes", label.size()), "a part has at most 63");
  }
  for (const char character : label) {
    if (is_letter_or_digit(character) || character == '-') continue;
    if (character == '*') refuse(text, "has a '*' inside", "a wildcard is the whole first part: *.example.com");
    refuse(text, fmt::format("contains {}", quoted(std::string_view(&character, 1))),
           "use letters, digits, '-' and '.'");
  }
  if (label.front() == '-') refuse(text, "has a part that begins with '-'", "begin it with a letter or a digit");
  if (label.back() == '-') refuse(text, "has a part that ends in '-'", "end it in a letter or a digit");
}

std::optional<std::string> decoded(const std::string& ascii) {
  char* result = nullptr;
  if (idn2_to_unicode_8z8z(ascii.c_str(), &result, IDN2_NONTRANSITIONAL) != IDN2_OK) return {};
  return IdnText(result).get();
}

// The form that DNS uses. Only the normal spelling of a name is accepted, the one that comes back.
std::string encoded(std::string_view text, const std::string& name) {
  char* result = nullptr;
  const int code = idn2_to_ascii_8z(name.c_str(), &result, IDN2_NONTRANSITIONAL | IDN2_NFC_INPUT);
  if (code != IDN2_OK) refuse(text, fmt::format("is not a valid name ({})", idn2_strerror(code)), "correct it");
  std::string ascii = IdnText(result).get();
  const auto normal = decoded(ascii);
  if (!normal) refuse(text, "is not a valid name", "correct it");
  if (*normal != name && ascii != name) {
    refuse(text, "is not in its normal spelling", fmt::format("write {}", *normal));
  }
  return ascii;
}

}  // namespace

HostName HostName::parse(std::string_view text) {
  refuse_what_is_not_a_name(text);
  if (std::any_of(text.begin(), text.end(), is_upper)) {
    refuse(text, "has upper-case letters", fmt::format("write {}", lowered(text)));
  }
  const bool wildcard = text.starts_with(kWildcard);
  std::string name(wildcard ? text.substr(kWildcard.size()) : text);
  if (name.find('\0') != name.npos) refuse(text, "contains \"\\x00\"", "use letters, digits, '-' and '.'");
  const bool international =
      !is_ascii(name) || name.starts_with(kEncodedLabel) || name.find(fmt::format(".{}", kEncodedLabel)) != name.npos;
  if (international) name = encoded(text, name);
  const auto labels = split(name, '.');
  for (const auto& label : labels) check_label(text, label);
  if (is_all_digits(labels.back())) {
    refuse(text, labels.size() == 4 ? "is an IP address" : "ends in a number", "give a name such as www.example.com");
  }
  if (wildcard) name.insert(0, kWildcard);
  if (name.size() > kLongestHost) refuse(text, fmt::format("has {} bytes", name.size()), "a name has at most 253");
  return HostName{std::move(name)};
}

HostName HostName::of_app(const AppName& app, std::string_view domain) {
  return HostName{fmt::format("{}.{}", app.str(), domain)};
}

std::string HostName::unicode() const {
  const std::string_view name = text_;
  const auto wildcard = is_wildcard() ? kWildcard : std::string_view{};
  const auto shown = decoded(std::string(name.substr(wildcard.size())));
  return shown ? std::string(wildcard) + *shown : text_;
}

bool HostName::covers(const HostName& other) const { return *this == other || wildcard_of(other) == *this; }

std::optional<HostName> wildcard_of(const HostName& host) {
  const auto dot = host.text_.find('.');
  if (host.is_wildcard() || dot == std::string::npos) return std::nullopt;
  return HostName{"*" + host.text_.substr(dot)};
}

}  // namespace pushrod
