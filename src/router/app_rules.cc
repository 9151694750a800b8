// A page of an app is looked up only when it is needed: its file's name is in errors.map, and a converter of the Lua
// script reads the file. Where the map has none, the router's usual page is the map's default value.
#include "router/app_rules.hh"

#include <fmt/format.h>

#include <string_view>

#include "router/client_claims.hh"
#include "router/maps.hh"
#include "router/pages.hh"

namespace pushrod {

namespace {

// The app's page, or nothing. HAProxy encodes line ends in what an expression yields, but not in the text between
// expressions; so the usual page is that text, and an app's page turns it into a comment.
std::string own_page(int status, std::string_view converter) {
  return fmt::format("%[var(txn.app),concat(/{}),map({}){}]", status, kErrorsFile, converter);
}

// As a text in quotes of haproxy.cfg.
std::string in_format(std::string_view text) {
  std::string quoted;
  for (const char character : text) {
    if (character == '\n') {
      quoted += "\\n";
    } else if (character == '"' || character == '\\') {
      quoted += fmt::format("\\{}", character);
    } else {
      quoted += character;
    }
  }
  return quoted;
}

// X-Pushrod-Page tells until the end of the rules that it is an app's page, which is HTML.
std::string page_reply(int status) {
  return fmt::format(
      "status {} content-type \"text/plain; charset=utf-8\" hdr X-Pushrod-Page \"{}\" hdr Cache-Control no-store hdr "
      "X-Content-Type-Options nosniff{} lf-string \"{}{}{}\"",
      status, own_page(status, ""), status == 503 ? " hdr Retry-After 5" : "", own_page(status, ",lua.page_begin"),
      in_format(text_of_page(status)), own_page(status, ",lua.page_end"));
}

}  // namespace

std::string render_app_lookup() {
  return fmt::format(
      "  http-request set-var(txn.http) var(txn.app),map({}) if {{ var(txn.app) -m found }} !{{ stopping }}\n"
      "  acl keeps-underscores var(txn.http),field(4,|) -m sub _\n"
      "  # X_Forwarded_For is X-Forwarded-For to many an app: names outside of letters, digits and '-' go.\n"
      "  http-request del-header '[^a-z0-9-]' -m reg unless keeps-underscores || {{ stopping }}\n"
      "  http-request del-header '[^a-z0-9_-]' -m reg if keeps-underscores\n"
      "  http-request del-header '^(content|transfer|keep)_.*$' -m reg if keeps-underscores\n"
      "  http-request del-header '{}' -m reg if keeps-underscores\n",
      kHttpFile, client_claims_pattern_with_underscores());
}

std::string render_app_rules() {
  return fmt::format(
      R"(  # What the app's [http] says.
  http-request set-var(txn.max_body) var(txn.http),field(1,|) if {{ var(txn.http) -m reg ^[0-9] }}
  http-request return status 411 content-type "text/plain; charset=utf-8" hdr Cache-Control no-store string "411 Length Required\n\nThis app limits the size of requests, so they must say it: send Content-Length.\n" if {{ var(txn.max_body) -m found }} {{ req.fhdr(Transfer-Encoding) -m found }}
  http-request return status 411 content-type "text/plain; charset=utf-8" hdr Cache-Control no-store string "411 Length Required\n\nThis app limits the size of requests, so they must say it: send Content-Length.\n" if {{ var(txn.max_body) -m found }} {{ req.ver 2.0 }} !METH_GET !{{ req.fhdr(Content-Length) -m found }}
  http-request return {too_large} if {{ var(txn.max_body) -m found }} {{ req.body_size,sub(txn.max_body) -m int gt 0 }}
  http-request set-var(txn.rules) var(txn.http),field(5,|) if {{ var(txn.http),field(4,|) -m sub h r }}
  http-request lua.redirect if {{ var(txn.http),field(4,|) -m sub r }}
  http-response lua.headers if {{ var(txn.http),field(4,|) -m sub h }}
  # HAProxy decides from the request whether it compresses.
  http-request replace-value Accept-Encoding '(?i)^(gzip|x-gzip|deflate).*$' '\1;q=0' if {{ var(txn.http),field(4,|) -m sub n }}
{page_headers})",
      fmt::arg("too_large", page_reply(413)), fmt::arg("page_headers", render_page_headers()));
}

std::string_view render_page_headers() {
  return R"(  http-response del-header X-Pushrod-Page
  http-after-response set-header Content-Type "text/html; charset=utf-8" if { res.fhdr(X-Pushrod-Page) -m beg pages/ }
  http-after-response del-header X-Pushrod-Page
)";
}

std::string render_access_check() {
  return R"(  # Who may ask an app with access rules. What the script does not allow does not pass.
  http-request set-var(txn.visitor) src,ipmask(32,64) if is-guarded
  http-request lua.access if is-guarded
  http-request return status 403 content-type "text/plain; charset=utf-8" hdr Cache-Control no-store string "403 Forbidden\n\nThis app is not open to your address.\n" if is-guarded !{ var(txn.allowed) -m bool }
)";
}

// Most requests are for an app without rules of its own that simply serves. What stands below this does not concern
// them, and asking so for each rule would take a tenth of the router's time.
std::string render_usual_requests() {
  return fmt::format(R"(  # Only apps that do not simply serve are in these maps.
  http-request set-var(txn.access) var(txn.app),concat(/access),map({errors}) if {{ var(txn.app) -m found }} !{{ stopping }}
  http-request set-var(txn.mode) var(txn.app),map({modes}) unless {{ stopping }}
  acl is-guarded var(txn.access) -m found
  acl is-special var(txn.mode) -m found
  acl is-special var(txn.http) -m found
  acl has-options var(txn.route) -m sub |
  acl has-only-https var(txn.route) -m end |https
  http-request allow if {{ var(txn.app) -m found }} !has-options !is-guarded !is-special
  http-request allow if secure has-only-https !is-guarded !is-special
)",
                     fmt::arg("errors", kErrorsFile), fmt::arg("modes", kModesFile));
}

std::string render_own_page_modes() {
  return fmt::format(
      "  http-request set-var(txn.mode) var(txn.app),concat(/503),map({}) if {{ var(txn.mode) -m str hold asleep late "
      "full stopped }}\n",
      kErrorsFile);
}

std::string render_app_defaults() {
  std::string text = R"(
defaults apps from usual
  no option abortonclose
  http-request set-timeout server var(txn.http),field(2,|) if { var(txn.http),field(2,|) -m int gt 0 }
  http-request set-timeout tunnel var(txn.http),field(3,|) if { var(txn.http),field(3,|) -m int gt 0 }
  # Not event streams: they would wait until there is enough to compress.
  compression algo gzip
  compression type text/html text/plain text/css text/csv text/javascript text/markdown text/xml application/javascript application/json application/ld+json application/manifest+json application/xml application/rss+xml application/atom+xml application/xhtml+xml application/wasm image/svg+xml
)";
  for (const int status : {502, 503, 504}) text += fmt::format("  http-error {}\n", page_reply(status));
  return text;
}

}  // namespace pushrod
