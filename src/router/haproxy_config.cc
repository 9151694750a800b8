// Renders haproxy.cfg. Each setting's reason stands beside it, in the file itself where it is short.
#include "router/haproxy_config.hh"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <map>

#include "base/error.hh"
#include "base/text.hh"
#include "router/access_log.hh"
#include "router/app_rules.hh"
#include "router/client_claims.hh"
#include "router/hold_script.hh"
#include "router/pages.hh"
#include "router/shares.hh"
#include "router/trusted_proxies.hh"

namespace pushrod {

namespace {

// hard-stop-after: how long a worker that a reload left behind may serve its last WebSockets.
// It keeps the limit of open files that `up` has raised, which is above that of apps (model/descriptors.hh).
constexpr std::string_view kRoutedPrefix = "app.";

constexpr std::string_view kGlobal = R"(  nbthread "${PUSHROD_THREADS-1}"
  hard-stop-after 12h
  stats socket unix@admin.sock mode 600 level admin expose-fd listeners
  stats timeout 1m
  log stdout format raw daemon err
  lua-load hold.lua
  # A message's head must fit into one buffer: 32 kB of cookies do, with 2 kB of other headers and all that the router
  # adds. Not larger than that: of each request that can be sent again the whole buffer is copied, twice.
  tune.bufsize 37888
  tune.http.maxhdr 256
)";

constexpr std::string_view kDefaults = R"(
defaults usual
  mode http
  errorfiles pages
  log global
  option dontlognull
  option http-ignore-probes
  # Also the pause before a refused connection is tried again. It is below a second, so that requests that met the end of
  # a release are answered by the one before it within a second.
  timeout connect 900ms
  timeout client 60s
  # 2.6 has only `timeout client` for a handshake.
  .if version_atleast(2.9)
  timeout client-hs 10s
  .endif
  timeout client-fin 30s
  timeout server 300s
  timeout queue 10s
  timeout http-request 10s
  timeout http-keep-alive 30s
  timeout tunnel 1h
  # A held request whose client goes away is given up; the app's own are not, since a client may close its half.
  option abortonclose
  # After a reload clients are told to close with their next answer; never are they cut off while they send.
  option idle-close-on-response
  # An instance that refuses or breaks off before it answered: another one is tried.
  retries 5
  option redispatch 1
  retry-on conn-failure empty-response
  balance leastconn
)";

constexpr std::string_view kFrontend = R"(
frontend public from usual
  # The tree holds these sockets, so that they outlive HAProxy: router/listeners.hh.
  bind "$PUSHROD_HTTP" maxconn {public_connections}
{tls_bind}  bind unix@current.sock mode 600 accept-proxy id 102
  bind unix@current-tls.sock mode 600 accept-proxy id 103
  # Over TLS, be it that a worker that a reload left behind hands the request on.
  acl tls ssl_fc
  acl tls so_id 103
  # For the front end second-try.
  unique-id-format %[var(txn.app)]
{proxy_protocol}{connection_shares}{client_facts}  # s6-log puts the lines that begin with "=" into a directory of their own.
  log stdout len {access_length} format raw local0 info
  log-format {access_format}
  http-request set-log-level silent if {{ stopping }}
  # "GET http://host/path" is what a client sends to a proxy: apps get "/path". HAProxy itself refuses a Host that is
  # not the target's; where there is none (HTTP/1.0) the target's host counts.
  acl origin-form url -m beg /
  http-request set-var(txn.host) url,regsub(^[^:]*://,),regsub([/?].*,),regsub(^.*@,) unless origin-form || {{ url * }} || {{ req.fhdr(Host) -m found }}
  http-request replace-uri ^[^:/?]+://[^/?]*(/.*)$ '\1' unless origin-form
  http-request replace-uri '^[^:/?]+://[^/?]*(\?.*)?$' '/\1' unless origin-form
  http-request set-header Host %[var(txn.host)] if {{ var(txn.host) -m found }}
  # What clients may not send, nor apps get: a target with bytes that URLs do not have, which HAProxy refuses in HTTP/1
  # but not in HTTP/2; a Host that is more than a name and a port, of which an app would make addresses; control characters; tunnels; a body whose end an HTTP/1.0 server does not know how to find; and trailers
  # that say what only headers may.
  http-request deny deny_status 405 if METH_CONNECT
  {large_head} if {{ req.hdrs,length gt {longest_head} }}
  http-request return status 400 errorfiles bad-target if {{ url -m reg '[^\x21-\x7e]' }}
  http-request return status 400 errorfiles bad-host if !{{ req.fhdr(Host) -m reg '^([0-9A-Za-z._-]*|\[[0-9A-Fa-f:.]+\])(:[0-9]{{0,5}})?$' }} {{ req.fhdr(Host) -m found }}
  http-request return status 400 errorfiles bad-header if {{ req.hdrs -m reg '[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]' }}
  http-request return status 400 errorfiles bad-framing if {{ req.fhdr(Transfer-Encoding) -m found }} HTTP_1.0
  http-request return status 400 errorfiles bad-trailer if {{ req.hdr(Trailer),lower -m reg '{forbidden_trailers}' }}
  # The name of an app's route is the one that the app is told, however the client wrote it.
  http-request set-var(txn.name) req.fhdr(Host),host_only,rtrim(.)
  # An entry is found by whole segments of the path, so the path ends in '/'. Entries are shorter than 256 bytes.
  http-request set-var(txn.path) path,bytes(0,256)
  http-request set-var(txn.route) var(txn.name),concat(,txn.path,/),map_beg({hosts})
  http-request set-var(txn.route) var(txn.name),regsub(^[^.]*,*),concat(,txn.path,/),map_beg({hosts}) unless {{ var(txn.route) -m found }}
  http-request set-var(txn.app) var(txn.route),field(1,|) if {{ var(txn.route) -m found }}
  http-request set-header Host %[var(txn.name)]%[req.fhdr(Host),regsub(^[^:]*,)] if {{ req.fhdr(Host) -m reg '[A-Z]|\.(:|$)' }} {{ var(txn.app) -m found }}
{app_lookup}  # What an app may have done already is done once: only these are sent again after they reached it.
  http-request disable-l7-retry unless METH_GET or METH_OPTIONS
{client_headers}  # HTTP/2 inside of an upgraded connection would pass all of this by.
  http-request del-header Upgrade if {{ req.fhdr(Upgrade),lower -m sub h2c }}
  http-request del-header HTTP2-Settings
  http-request set-header X-Request-Id %[uuid()]
  http-request set-header X-Request-Start t=%[date(0,ms)]
  # Connection must not name headers that the next proxy then takes away.
  http-request set-header Connection Upgrade if {{ req.hdr(Connection) -m str -i upgrade }}
  http-request del-header Connection unless {{ req.hdr(Connection) -m str -i upgrade }}
  # What an app says of the connection is not meant for its clients; nor may its cookies reach other apps.
  http-response del-header Connection unless {{ status 101 }}
  http-response del-header Upgrade unless {{ status 101 }}
  http-response del-header Keep-Alive
  http-response del-header Proxy- -m beg
  http-response replace-header Set-Cookie {cookie_domain} '\1\2'
  http-response replace-header Set-Cookie {cookie_domain} '\1\2'
  http-response replace-header Set-Cookie {cookie_domain} '\1'
{request_shares}{challenges}{usual_requests}  # What the route says beside its app (maps.hh). A worker that a reload left behind leaves it to the current one.
  http-request set-var(txn.options) var(txn.route) if {{ var(txn.route) -m sub | }} !{{ stopping }}
  http-request redirect prefix https://%[var(txn.name)]{https_port} code 308 if !secure {{ var(txn.options),field(2,|) -m str https }} !{{ path_beg /.well-known/acme-challenge/ }}
  http-request set-var(txn.hsts) var(txn.options),field(6,|) if secure {{ var(txn.options) -m found }}
  http-after-response set-header Strict-Transport-Security max-age=%[var(txn.hsts)] if {{ var(txn.hsts) -m reg . }}
{access}  http-request set-var(txn.to) var(txn.options),field(5,|) if {{ var(txn.options) -m found }}
  http-request redirect prefix %[var(txn.to)] code 308 if {{ var(txn.to) -m beg http }}
  # It leaves the mode that is to follow. Whoever goes away meanwhile stays in the one that it was in.
  http-request lua.hold if {{ var(txn.mode) -m str hold asleep }}
{own_page_modes}  http-request return status 503 errorfiles held if {{ var(txn.mode) -m str hold asleep late full }}
  http-request return status 503 errorfiles stopped if {{ var(txn.mode) -m str stopped }}
  http-request return status 503 errorfiles maintenance if {{ var(txn.mode) -m str maintenance }}
  http-request use-service lua.page if {{ var(txn.mode) -m beg pages/ }}
  # Each line takes a segment off the path.
  http-request set-var(txn.strip) var(txn.options),field(3,|) if {{ var(txn.options) -m found }}
  http-request set-header X-Forwarded-Prefix %[var(txn.options),field(4,|)] if {{ var(txn.strip) -m int ge 1 }}
  http-request replace-path ^/[^/]+/*(.*)$ /\1 if {{ var(txn.strip) -m int ge 1 }}
  http-request replace-path ^/[^/]+/*(.*)$ /\1 if {{ var(txn.strip) -m int ge 2 }}
  http-request replace-path ^/[^/]+/*(.*)$ /\1 if {{ var(txn.strip) -m int ge 3 }}
  http-request replace-path ^/[^/]+/*(.*)$ /\1 if {{ var(txn.strip) -m int ge 4 }}
{app_rules}  # A worker that a reload left behind knows yesterday's servers: it hands its clients' last requests on.
  use_backend current-worker-tls if {{ stopping }} tls
  use_backend current-worker if {{ stopping }}
  # Only requests that can be sent again may use a connection that the app may be closing. Other clients use it as well,
  # so none that an app could take for more than one request, or answer with a body that is not expected (HEAD).
  use_backend %[var(txn.app),map({slots})] if {{ method GET }} {{ var(txn.app) -m found }} {{ internal.htx.has_eom }} !{{ req.fhdr(Transfer-Encoding) -m found }} !{{ req.fhdr(Content-Length) -m found }}
  use_backend %[var(txn.app),map({slots}),regsub(^keep-,)] if {{ var(txn.app) -m found }}
  default_backend unknown-host

# Requests that failed on a kept connection: of which app, the other back end says by the PROXY protocol.
frontend second-try from usual
  bind unix@second-try.sock mode 600 accept-proxy id {second_try}
  no log
  http-request set-var(txn.app) fc_pp_unique_id
  http-request set-var(txn.http) var(txn.app),map({http})
{page_headers}  use_backend %[var(txn.app),map({slots}),regsub(^keep-,)] if {{ var(txn.app),map({slots}) -m found }}
  default_backend unknown-host

backend unknown-host from usual
  http-request return status 404 default-errorfiles

backend current-worker from usual
  no option abortonclose
  option http-server-close
  server current unix@current.sock send-proxy-v2

backend current-worker-tls from usual
  no option abortonclose
  option http-server-close
  server current unix@current-tls.sock send-proxy-v2
)";

// Mozilla's intermediate profile (ssl-config.mozilla.org, 5.7), without the ciphers that need DH parameters.
constexpr std::string_view kTls = R"(  ssl-default-bind-options prefer-client-ciphers ssl-min-ver TLSv1.2
  ssl-default-bind-curves X25519:prime256v1:secp384r1
  ssl-default-bind-ciphers ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305
  ssl-default-bind-ciphersuites TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256
)";

// In every mode, for every host, and before clients are sent to https.
constexpr std::string_view kChallenges =
    "  http-request use-service lua.challenge if { path_beg /.well-known/acme-challenge/ }\n";

constexpr Port kHttpsPort = 443;

std::string tls_bind(const Settings& settings) {
  if (!settings.https) return {};
  // Places for public connections are one number for both addresses.
  return fmt::format(
      "  bind \"$PUSHROD_HTTPS\" maxconn {0} ssl crt-list {1} strict-sni alpn h2,http/1.1 tls-ticket-keys {2}\n"
      "  tcp-request connection reject if {{ fe_conn gt {0} }} !{{ so_id 102 103 }}\n",
      public_connections(settings), kCertificateList, kTicketKeys);
}

std::string https_port(const Settings& settings) {
  return !settings.https || settings.https->port == kHttpsPort ? "" : fmt::format(":{}", settings.https->port);
}

// The cookie's values are made from addresses, since 2.6 takes no `cookie` for a server that is added at run time. The
// app does not see it. Browsers send it over http and https, and with requests from other sites only when they are
// links.
constexpr std::string_view kSticky = R"(  dynamic-cookie-key pushrod
  cookie _pushrod_instance insert indirect nocache httponly dynamic attr SameSite=Lax
)";

// A Set-Cookie with a Domain that is the platform's or a parent of it: what stands before and after that attribute.
std::string cookie_domain(std::string_view domain) {
  std::vector<std::string> parents;
  while (true) {
    std::string escaped;
    for (const char character : domain) escaped += character == '.' ? "\\." : std::string(1, character);
    parents.push_back(escaped);
    const auto dot = domain.find('.');
    if (dot == domain.npos) break;
    domain.remove_prefix(dot + 1);
  }
  return fmt::format(R"('(?i)^(.*?);[ \t]*domain[ \t]*=[ \t.]*(?:{})\.?[ \t]*(;.*)?$')", join(parents, "|"));
}

constexpr std::string_view kMark = "\x01";  // where the mark comes in, which is known only when the rest is rendered

// What HAProxy reads only when it loads, and the same with the servers, which change at run time.
struct Texts {
  std::string structure, config;
  void add(std::string_view text) {
    structure += text;
    config += text;
  }
};

void add_pages(Texts& texts) {
  std::string_view set;
  for (const auto pages = render_pages(); const auto& page : pages) {
    if (page.set != set) texts.add(fmt::format("\nhttp-errors {}\n", page.set));
    set = page.set;
    texts.add(fmt::format("  errorfile {} {}\n", page.status, page.file()));
  }
}

// A connection per request to the app: one that it closes while idle never meets a request, and an app that serves one
// connection at a time is not kept busy by an idle one. (Where the front end has this option, no back end keeps any.)
constexpr std::string_view kOneRequestEach = "  option http-server-close\n";
// An app may have closed several idle connections, and a request may meet one after the other: so it is tried more
// often than elsewhere, within the same time.
constexpr std::string_view kKeepConnections = R"(  option http-keep-alive
  http-reuse always
  timeout connect 400ms
  retries 12
)";
// Of an app with one instance, HAProxy would send a request that failed on a kept connection to that instance again, at
// once and however often, and would then close the client's connection without an answer. So there is another server,
// which hardly gets a request the first time, and all that are sent again: the router itself, which gives them a
// connection of their own. (A back end with a cookie gets none: clients would stay there.)
constexpr std::string_view kSecondTryServer =
    "  balance roundrobin\n"
    "  server {} unix@second-try.sock send-proxy-v2 proxy-v2-options unique-id weight 1 pool-max-conn 0\n";

void add_backends(Texts& texts, const Settings& settings, const Slots& slots,
                  const std::vector<WantedServer>& servers) {
  std::map<std::string, std::string> lines;
  for (const auto& server : servers) {
    lines[server.backend] +=
        fmt::format("  server {} 127.0.0.1:{}{}\n", server.name, server.port, server_options(server));
  }
  const auto add = [&](const std::string& name, const std::string& other, std::string_view twice,
                       std::string_view more) {
    texts.add(fmt::format("\nbackend {} from apps\n", name));
    texts.add(render_app_share(settings, other, twice));
    texts.add(more);
    texts.config += lines[name];
  };
  const auto add_kind = [&](std::string_view kind, unsigned count, std::string_view more, std::string_view of_kept) {
    for (unsigned number = 1; number <= count; ++number) {
      const auto slot = fmt::format("{}{}", kind, number), kept = fmt::format("{}{}", kKeepAlive, slot);
      const auto twice = of_kept.empty() ? "" : fmt::format("{}/{}", kept, kSecondTry);
      add(slot, kept, twice, fmt::format("{}{}", more, kOneRequestEach));
      add(kept, slot, twice, fmt::format("{}{}{}", more, kKeepConnections, of_kept));
    }
  };
  add_kind(kPlainSlot, slots.plain, "", fmt::format(kSecondTryServer, kSecondTry));
  add_kind(kStickySlot, slots.sticky, kSticky, "");
}

Texts render_texts(const Settings& settings, const Slots& slots, const std::vector<WantedServer>& servers) {
  Texts texts;
  texts.add("# Rendered by Pushrod from its database: whatever is changed here is overwritten.\nglobal\n");
  texts.add(fmt::format("  description {}\n", kMark));
  texts.add(kGlobal);
  texts.add(render_connection_limit(settings));
  if (settings.https) texts.add(kTls);
  add_pages(texts);
  texts.add(kDefaults);
  if (!settings.h2c) texts.add("  option disable-h2-upgrade\n");
  texts.add(fmt::format(
      kFrontend, fmt::arg("tls_bind", tls_bind(settings)), fmt::arg("https_port", https_port(settings)),
      fmt::arg("hosts", kHostsFile), fmt::arg("http", kHttpFile), fmt::arg("page_headers", render_page_headers()),
      fmt::arg("second_try", kSecondTryListener), fmt::arg("slots", kSlotsFile),
      fmt::arg("access_length", kLongestAccessLine), fmt::arg("access_format", kAccessFormat),
      fmt::arg("cookie_domain", cookie_domain(settings.domain)),
      fmt::arg("public_connections", public_connections(settings)),
      fmt::arg("connection_shares", render_connection_shares(settings)),
      fmt::arg("request_shares", render_request_shares(settings)),
      fmt::arg("challenges", settings.acme ? kChallenges : ""), fmt::arg("client_facts", render_client_facts(settings)),
      fmt::arg("client_headers", render_client_headers(settings)), fmt::arg("app_lookup", render_app_lookup()),
      fmt::arg("app_rules", render_app_rules()), fmt::arg("access", render_access_check()),
      fmt::arg("usual_requests", render_usual_requests()), fmt::arg("own_page_modes", render_own_page_modes()),
      fmt::arg("proxy_protocol", render_proxy_protocol(settings)), fmt::arg("large_head", render_large_head()),
      fmt::arg("longest_head", kLongestHead), fmt::arg("forbidden_trailers", forbidden_trailers_pattern())));
  texts.add(render_share_tables(settings));
  texts.add(render_app_defaults());
  add_backends(texts, settings, slots, servers);
  return texts;
}

std::string with_mark(std::string text, std::string_view mark) {
  for (auto at = text.find(kMark); at != text.npos; at = text.find(kMark, at)) text.replace(at, kMark.size(), mark);
  return text;
}

std::vector<WantedServer> wanted_servers(const RoutingTable& table, const Slots& slots) {
  std::vector<WantedServer> servers;
  for (const auto& app : table.apps) {
    const auto& backend = slots.of_apps.at(routed_name(app.app));
    for (const auto& server : app.servers) {
      servers.push_back({backend, server.instance.str(), server.port, app.sticky, server.h2});
      if (!app.keeps_connections) continue;
      servers.push_back(
          {fmt::format("{}{}", kKeepAlive, backend), server.instance.str(), server.port, app.sticky, false, true});
    }
  }
  return servers;
}

}  // namespace

std::uint64_t fingerprint(std::string_view text) {
  std::uint64_t hash = 0xcbf29ce484222325;
  for (const char character : text) {
    hash ^= static_cast<unsigned char>(character);
    hash *= 0x100000001b3;
  }
  return hash;
}

std::string server_options(const WantedServer& server) {
  if (server.keeps_connections)
    return fmt::format(" weight 256 pool-max-conn {} pool-purge-delay 1s", kIdleConnections);
  return server.h2 ? " proto h2" : "";
}

std::string routed_name(const AppName& app) { return std::string(kRoutedPrefix) + app.str(); }

std::optional<AppName> app_of_routed_name(std::string_view name) {
  if (!name.starts_with(kRoutedPrefix)) return std::nullopt;
  return AppName::parse(std::string(name.substr(kRoutedPrefix.size())));
}

Rendering render(const Settings& settings, const RoutingTable& table, const Slots& slots) {
  Rendering rendering;
  rendering.maps.hosts = host_entries(settings, table);
  rendering.maps.slots = slots.of_apps;
  for (const auto& app : table.apps) {
    if (app.keeps_connections) rendering.maps.slots[routed_name(app.app)].insert(0, kKeepAlive);
  }
  rendering.maps.modes = mode_entries(table);
  rendering.maps.http = http_entries(table);
  rendering.maps.errors = error_entries(table);
  rendering.servers = wanted_servers(table, slots);
  for (const auto& app : table.apps) {
    const auto add = [&](const std::string& content) {
      if (!content.empty()) rendering.own_pages.emplace(own_file(content), content);
    };
    if (app.mode == TrafficMode::Maintenance) add(app.page);
    add(render_rules(app.http));
    add(render_access(app));
    for (const auto& [status, page] : app.http.pages) add(page);
  }
  if (settings.https) rendering.certificates = certificate_files(table);
  auto texts = render_texts(settings, slots, rendering.servers);
  auto structure = with_mark(std::move(texts.structure), "");
  for (const auto& page : render_pages()) structure += page.response;
  structure += render_hold_script();
  rendering.mark = fmt::format("{:016x}", fingerprint(structure));
  rendering.config = with_mark(std::move(texts.config), rendering.mark);
  return rendering;
}

}  // namespace pushrod
