// The name under which clients reach an app: "www.example.com", "bücher.example", "*.example.com".
// Accepted exactly as given or refused with the reason (I8). A name with letters outside of ASCII is kept in the form
// that DNS, HTTP and TLS use (A-labels, "xn--bcher-kva.example"; RFC 5890), which libidn2 computes and checks.
#pragma once

#include <compare>
#include <optional>
#include <string>
#include <string_view>

#include "model/names.hh"

namespace pushrod {

class HostName {
 public:
  // At most 253 bytes in its ASCII form, in labels of 1 to 63 lower-case letters, digits and '-', which neither begin
  // nor end with '-'; no port, no path, no final dot, not an IP address. "*" may be the whole first label. Throws
  // UserError, which quotes the text and says what to write instead.
  static HostName parse(std::string_view text);
  // "blog.apps.example.com": the name that an app has from its own name. `domain` is [http] domain, which is checked
  // where it is read.
  static HostName of_app(const AppName& app, std::string_view domain);

  const std::string& str() const noexcept { return text_; }  // ASCII
  // As people write it: "bücher.example".
  std::string unicode() const;
  bool is_wildcard() const { return text_.starts_with("*."); }
  // A wildcard covers exactly one label: "*.example.com" covers "www.example.com", neither "example.com" nor
  // "a.b.example.com" (as in certificates, RFC 6125). A name covers itself.
  bool covers(const HostName& other) const;
  // "*.example.com" for "www.example.com"; absent for a wildcard and for a name of one label.
  friend std::optional<HostName> wildcard_of(const HostName& host);
  auto operator<=>(const HostName&) const = default;

 private:
  explicit HostName(std::string text) : text_(std::move(text)) {}
  std::string text_;
};
std::optional<HostName> wildcard_of(const HostName& host);

}  // namespace pushrod
