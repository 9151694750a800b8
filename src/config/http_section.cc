// Reads [http], and refuses what the router could not do.
#include "config/http_section.hh"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/text.hh"
#include "config/plain_file.hh"
#include "config/text_file.hh"

namespace pushrod {

namespace {

using namespace std::chrono_literals;

constexpr std::size_t kMostHeaders = 50;
constexpr std::size_t kMostRedirects = 500;
constexpr std::size_t kLongestValue = 2'000;
constexpr std::size_t kLargestPage = std::size_t{64} << 10;
constexpr std::array kPageStatuses{413U, 502U, 503U, 504U};
constexpr std::array kRedirectStatuses{301U, 302U, 303U, 307U, 308U};

bool is_token(std::string_view name) {
  return !name.empty() && name.size() <= 100 && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-';
  });
}

bool is_visible(std::string_view text, bool with_spaces) {
  return std::all_of(text.begin(), text.end(),
                     [&](char c) { return (c > ' ' && c < 0x7f) || (with_spaces && c == ' '); });
}

// What frames an answer, or belongs to the connection or to other apps of the host.
bool is_reserved_header(std::string name) {
  std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) { return std::tolower(c); });
  constexpr std::array kReserved{
      "connection", "content-encoding", "content-length",   "date", "keep-alive", "set-cookie", "te",
      "trailer",    "upgrade",          "transfer-encoding"};
  return name.starts_with("proxy-") || name.starts_with("x-pushrod-") ||
         std::find(kReserved.begin(), kReserved.end(), name) != kReserved.end();
}

std::optional<Milliseconds> read_timeout(TomlSection& http, const std::string& key) {
  Milliseconds value{0};
  http.duration(key, value, {1s, 24h});
  return http.has(key) ? std::optional(value) : std::nullopt;
}

void read_headers(TomlSection section, HttpRules& rules) {
  for (const std::string& name : section.keys()) {
    const auto value = *section.text(name);
    if (!is_token(name)) {
      section.refuse(name, fmt::format("{} is not the name of a header", section.shown(name)),
                     "use letters, digits and \"-\"");
    }
    if (is_reserved_header(name)) {
      section.refuse(name, fmt::format("{} is not for apps to set here", section.shown(name)));
    }
    if (value.empty() || value.size() > kLongestValue || !is_visible(value, true)) {
      section.refuse(
          name, fmt::format("{} must have 1 to {} ASCII characters on one line", section.shown(name), kLongestValue));
    }
    rules.headers.emplace_back(name, value);
  }
  if (rules.headers.size() > kMostHeaders) {
    section.refuse({}, fmt::format("[http.headers] has more than {} headers", kMostHeaders));
  }
}

// The host of an address must be complete before the "*".
bool is_target(std::string_view to) {
  if (to.starts_with("//") || to.starts_with("/\\")) return false;
  if (to.starts_with('/')) return true;
  const auto scheme = to.starts_with("https://") ? 8U : to.starts_with("http://") ? 7U : 0U;
  if (scheme == 0) return false;
  const auto path = std::min(to.find('/', scheme), to.size());
  return path > scheme && to.substr(0, path).find('*') == to.npos;
}

HttpRedirect read_redirect(TomlSection section) {
  HttpRedirect redirect;
  const auto required = [&](const char* key) {
    auto text = section.text(key);
    if (!text) section.refuse({}, fmt::format("[[http.redirect]] has no {}", quoted(key)));
    if (text->size() > kLongestValue || !is_visible(*text, false)) {
      section.refuse(key, fmt::format("{} has characters that an address does not have", section.shown(key)),
                     "write spaces and letters outside of ASCII as %XX");
    }
    return *std::move(text);
  };
  redirect.from = required("from");
  redirect.to = required("to");
  section.count("status", redirect.status, {301, 308});
  section.refuse_unknown_keys();
  const auto star = redirect.from.find('*');
  if (!redirect.from.starts_with('/') || redirect.from.find('?') != redirect.from.npos ||
      (star != redirect.from.npos && star + 1 != redirect.from.size())) {
    section.refuse("from", fmt::format("{} is not a path: {}", section.shown("from"), quoted(redirect.from)),
                   "begin it with \"/\"; a \"*\" at its end stands for the rest of the path");
  }
  if (!is_target(redirect.to)) {
    section.refuse("to", fmt::format("{} is not a path or an address: {}", section.shown("to"), quoted(redirect.to)),
                   "write \"/new\" or \"https://www.example.com/new\"");
  }
  if (std::find(kRedirectStatuses.begin(), kRedirectStatuses.end(), redirect.status) == kRedirectStatuses.end()) {
    section.refuse("status", fmt::format("{} is not a redirect: {}", section.shown("status"), redirect.status),
                   "use 301, 302, 303, 307 or 308");
  }
  return redirect;
}

void read_pages(TomlSection section, HttpRules& rules) {
  for (const std::string& key : section.keys()) {
    const auto status = parse_unsigned(key).value_or(0);
    if (std::find(kPageStatuses.begin(), kPageStatuses.end(), status) == kPageStatuses.end()) {
      section.refuse(key, fmt::format("{}: the router has no page of that status for an app", section.shown(key)),
                     "use 413, 502, 503 or 504");
    }
    const auto file = *section.text(key);
    const auto parts = split(file, '/');
    if (file.empty() ||
        std::any_of(parts.begin(), parts.end(), [](const std::string& part) { return part.empty() || part == ".."; })) {
      section.refuse(key, fmt::format("{} is not a file in the app's directory: {}", section.shown(key), quoted(file)));
    }
    rules.pages.emplace(static_cast<unsigned>(status), file);
  }
}

}  // namespace

HttpRules read_http_rules(TomlSection& top) {
  HttpRules rules;
  auto http = top.section("http");
  if (!http) return rules;
  constexpr std::uint64_t kTera = std::uint64_t{1} << 40;
  std::uint64_t max_body = 0;
  http->size("max_body", max_body, {0, kTera});
  if (http->has("max_body")) rules.max_body = max_body;
  rules.timeout = read_timeout(*http, "timeout");
  rules.idle_timeout = read_timeout(*http, "idle_timeout");
  http->flag("compress", rules.compress);
  http->flag("keep_underscores", rules.keep_underscores);
  if (auto headers = http->section("headers")) read_headers(*std::move(headers), rules);
  if (auto pages = http->section("pages")) read_pages(*std::move(pages), rules);
  for (auto& redirect : http->sections("redirect")) rules.redirects.push_back(read_redirect(std::move(redirect)));
  http->refuse_unknown_keys();
  if (rules.redirects.size() > kMostRedirects) {
    http->refuse("redirect", fmt::format("[[http.redirect]] stands there more than {} times", kMostRedirects));
  }
  return rules;
}

HttpRules with_pages(HttpRules rules, const std::filesystem::path& directory) {
  for (auto& [status, file] : rules.pages) {
    const auto shown = escaped(file);
    auto folder = directory;
    for (const auto& part : std::filesystem::path(file).parent_path()) {
      folder /= part;
      if (std::filesystem::is_symlink(std::filesystem::symlink_status(folder))) {
        throw UserError(fmt::format("[http.pages] {}: {} leads through a symbolic link", status, shown),
                        "name a file of the commit itself");
      }
    }
    auto text = read_plain_file(directory / file, shown, kLargestPage, Symlinks::Refuse);
    if (!text) {
      throw UserError(fmt::format("[http.pages] {}: the commit has no file {}", status, shown),
                      "the path is relative to the app's directory");
    }
    file = decode_text(*text, shown);
  }
  return rules;
}

void read_protocol(TomlSection& section, Process& process) {
  if (const auto protocol = section.text("protocol")) {
    if (*protocol != "h2" && *protocol != "http/1.1") {
      section.refuse("protocol", fmt::format("{} is unknown: {}", section.shown("protocol"), quoted(*protocol)),
                     "use \"h2\" (HTTP/2 without TLS, for gRPC) or \"http/1.1\"");
    }
    process.h2 = *protocol == "h2";
    if (process.h2 && !process.is_routed()) {
      section.refuse("protocol", fmt::format("{}: only \"web\" gets requests", section.shown("protocol")));
    }
    if (process.h2 && process.health.path) {
      section.refuse("protocol", "protocol = \"h2\" and health.path exclude each other: checks of a path use HTTP/1.1",
                     "remove health.path: accepting connections is enough then");
    }
  }
}

void read_static_files(TomlSection& section, const Process& process, AppManifest& manifest) {
  const auto directory = section.text("static").value_or("");
  if (!process.is_routed()) {
    section.refuse("static", fmt::format("{}: only \"web\" gets requests", section.shown("static")));
  }
  auto path = std::filesystem::path(directory).lexically_normal().native();
  while (path.size() > 1 && path.ends_with('/')) path.pop_back();
  const bool is_plain = std::all_of(path.begin(), path.end(), [](char c) { return c >= ' ' && c != 0x7f; });
  if (path.empty() || path.starts_with('/') || path.starts_with("..") || !is_plain || path.size() > 1000) {
    section.refuse("static",
                   fmt::format("{} is not a directory of the app: {}", section.shown("static"), quoted(directory)),
                   "write it relative to the app's directory, such as \"public\" or \".\"");
  }
  manifest.static_files = std::move(path);
}

}  // namespace pushrod
