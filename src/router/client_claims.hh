// The request headers through which frameworks, servers and plug-ins believe what a client says of itself: its address,
// its user, the host, scheme or path that it asked for. The router removes them before it sets its own.
// Used inside router/ only. Pure.
#pragma once

#include <array>
#include <string>
#include <string_view>

namespace pushrod {

// As people write the names; a name that ends in "*" stands for all that begin like it. docs/apps.md lists the same.
inline constexpr auto kClientClaims = std::to_array<std::string_view>({
    "CF-Connecting-*",
    "CF-Visitor",
    "Client-IP",
    "DO-Connecting-IP",
    "Fastly-Client-IP",
    "Fly-Client-IP",
    "Forwarded",
    "Forwarded-*",
    "Front-End-Https",
    "Proxy",
    "Proxy-*",
    "Remote-*",
    "SSL-Client-*",
    "Tailscale-User-*",
    "True-Client-IP",
    "Via",
    "WL-Proxy-*",
    "X-Accel-*",
    "X-Amzn-Oidc-*",
    "X-Appengine-*",
    "X-ARR-*",
    "X-Auth-Request-*",
    "X-Authenticated-*",
    "X-Azure-*",
    "X-Client-Cert*",
    "X-Client-IP",
    "X-Cluster-Client-IP",
    "X-Envoy-*",
    "X-Forward-*",
    "X-Forwarded",
    "X-Forwarded-*",
    "X-Goog-Authenticated-*",
    "X-Goog-IAP-*",
    "X-Host",
    "X-HTTP-Host-*",
    "X-MS-Client-*",
    "X-Original-*",
    "X-Proxy-*",
    "X-ProxyUser-*",
    "X-Real-*",
    "X-Remote-*",
    "X-Rewrite-*",
    "X-Scheme",
    "X-Script-Name",
    "X-Sendfile-*",
    "X-SSL-*",
    "X-Url-Scheme",
    "X-WebAuth-*",
});

// A regular expression for the name of such a header in lower case, as HAProxy keeps names.
std::string client_claims_pattern();
// The same for names in which "_" stands for "-".
std::string client_claims_pattern_with_underscores();
// The same for names that must not be announced as a trailer: these, what frames a message or leads it to its app, and
// what says who asks (RFC 9110, section 6.5.1).
std::string forbidden_trailers_pattern();

}  // namespace pushrod
