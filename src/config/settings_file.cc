// server.toml → Settings: which keys there are, their ranges, and how they must agree with each other.
// docs/settings.md tells each key; model/settings.hh holds the defaults.
#include "config/settings_file.hh"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "base/error.hh"
#include "base/text.hh"
#include "config/mounts_section.hh"
#include "config/plain_file.hh"
#include "config/toml_section.hh"
#include "model/environment.hh"

namespace pushrod {

namespace {

using namespace std::chrono_literals;

constexpr std::size_t kLargestFile = std::size_t{1} << 20;
constexpr DurationRange kUpToADay{1ms, 24h};
constexpr std::size_t kLongestVariable = 131'072 - 2;  // Linux' MAX_ARG_STRLEN, less "=" and NUL

bool is_letter_or_digit(char character) {
  return (character >= 'a' && character <= 'z') || (character >= '0' && character <= '9');
}

// Lower-case labels of RFC 1123; with the longest app name in front it must still be a host name.
bool is_domain(std::string_view text) {
  constexpr std::size_t kLongestDomain = 253 - 41;
  if (text.size() > kLongestDomain) return false;
  const std::vector<std::string> labels = split(text, '.');
  const auto is_label = [](const std::string& label) {
    return !label.empty() && label.size() <= 63 && is_letter_or_digit(label.front()) &&
           is_letter_or_digit(label.back()) &&
           std::all_of(label.begin(), label.end(), [](char c) { return is_letter_or_digit(c) || c == '-'; });
  };
  // A last label of digits only makes an IPv4 address, which cannot have names below it.
  return std::all_of(labels.begin(), labels.end(), is_label) && !parse_unsigned(labels.back());
}

void read_listen(TomlSection& section, ListenAddress& address) {
  const auto text = section.text("listen");
  if (!text) return;
  try {
    address = parse_listen_address(*text);
  } catch (const UserError& error) {
    section.refuse("listen", fmt::format("{}: {}", section.shown("listen"), error.message()), error.hint());
  }
}

void read_networks(TomlSection& section, const std::string& key, std::vector<std::string>& networks) {
  if (auto texts = section.texts(key)) networks = *std::move(texts);
  for (const auto& network : networks) {
    if (is_network(network)) continue;
    section.refuse(key,
                   fmt::format("{} has {}, which is not an address or a network", section.shown(key), quoted(network)),
                   "use IP addresses or networks, such as \"10.0.0.7\", \"10.0.0.0/24\" or \"2001:db8::/48\"");
  }
}

void read_http(TomlSection http, Settings& settings) {
  read_listen(http, settings.http);
  if (const auto domain = http.text("domain")) {
    if (!is_domain(*domain)) {
      http.refuse("domain", fmt::format("{} is not a host name: {}", http.shown("domain"), quoted(*domain)),
                  "use a name such as \"apps.example.com\" (a-z, 0-9 and \"-\", no port): apps are served below it");
    }
    settings.domain = *domain;
  }
  http.count("connections", settings.connections, {100, 1'000'000});
  http.count("app_connections", settings.app_connections, {1, 1'000'000});
  http.count("address_connections", settings.address_connections, {1, 1'000'000});
  read_networks(http, "proxies", settings.proxies);
  read_networks(http, "trusted_proxies", settings.trusted_proxies);
  http.flag("proxy_protocol", settings.proxy_protocol);
  http.flag("h2c", settings.h2c);
  if (settings.proxy_protocol && settings.trusted_proxies.empty()) {
    http.refuse("proxy_protocol", "proxy_protocol = true needs trusted_proxies",
                "list the proxies that send the PROXY protocol, for example trusted_proxies = [\"10.0.0.7\"]");
  }
  http.refuse_unknown_keys();
}

void read_https(TomlSection https, Settings& settings) {
  ListenAddress address{"*", 443};
  read_listen(https, address);
  settings.https = address;
  https.refuse_unknown_keys();
}

// A directory of lego has the address as its name.
bool is_email(std::string_view text) {
  const auto at = text.find('@');
  const auto is_plain = [](char c) {
    return (c >= 'A' && c <= 'Z') || is_letter_or_digit(c) || c == '@' || c == '.' || c == '_' || c == '+' || c == '-';
  };
  return at != text.npos && at > 0 && text.find('@', at + 1) == text.npos && text.find('.', at) != text.npos &&
         text.back() != '.' && text.front() != '-' && text.front() != '.' && text.size() <= 200 &&
         std::all_of(text.begin(), text.end(), is_plain);
}

void read_dns_resolvers(TomlSection& section, AcmeSettings& acme) {
  constexpr const char* kKey = "dns_resolvers";
  if (const auto resolvers = section.texts(kKey)) acme.dns_resolvers = *resolvers;
  for (const auto& resolver : acme.dns_resolvers) {
    try {
      if (parse_listen_address(resolver).host != "*") continue;
    } catch (const UserError&) {  // refused below
    }
    section.refuse(
        kKey,
        fmt::format("{} has an entry that is not an IP address with a port: {}", section.shown(kKey), quoted(resolver)),
        "write for example dns_resolvers = [\"192.0.2.53:53\"]");
  }
}

void read_acme(TomlSection section, Settings& settings) {
  AcmeSettings acme;
  bool agreed = false;
  section.flag("agree_tos", agreed);
  if (const auto directory = section.text("directory")) {
    if (*directory == "staging") {
      acme.directory = "https://acme-staging-v02.api.letsencrypt.org/directory";
    } else if (directory->starts_with("https://") && directory->size() <= 1000 &&
               std::all_of(directory->begin(), directory->end(), [](char c) { return c > ' ' && c < 0x7f; })) {
      acme.directory = *directory;
    } else {
      section.refuse("directory",
                     fmt::format("{} is not an https address: {}", section.shown("directory"), quoted(*directory)),
                     "give the address of the CA's ACME directory, or \"staging\" for that of Let's Encrypt for tests");
    }
  }
  if (const auto email = section.text("email")) acme.email = *email;
  if (const auto ca_file = section.text("ca_file")) acme.ca_file = *ca_file;
  if (!acme.ca_file.empty() && acme.ca_file.front() != '/') {
    section.refuse("ca_file",
                   fmt::format("{} is not an absolute path: {}", section.shown("ca_file"), quoted(acme.ca_file)));
  }
  read_dns_resolvers(section, acme);
  if ((agreed || section.has("email")) && !is_email(acme.email)) {
    section.refuse(section.has("email") ? "email" : "agree_tos",
                   fmt::format("{} must be an address of yours: {}", section.shown("email"), quoted(acme.email)),
                   "the CA's account is registered for it: email = \"you@example.com\"");
  }
  section.refuse_unknown_keys();
  if (agreed) settings.acme = std::move(acme);
}

void read_ssh(TomlSection ssh, Settings& settings) {
  ssh.flag("enabled", settings.ssh_enabled);
  read_listen(ssh, settings.ssh);
  ssh.refuse_unknown_keys();
}

void read_ports(TomlSection ports, Settings& settings) {
  constexpr NumberRange kUnprivileged{1024, 65535};
  ports.count("first", settings.first_port, kUnprivileged);
  ports.count("last", settings.last_port, kUnprivileged);
  ports.refuse_unknown_keys();
  if (settings.first_port > settings.last_port) {
    ports.refuse(ports.has("last") ? "last" : "first",
                 fmt::format("[ports] is empty: it goes from {} to {}", settings.first_port, settings.last_port));
  }
}

void read_limits(TomlSection limits, Settings& settings) {
  constexpr std::uint64_t kTera = std::uint64_t{1} << 40;
  limits.count("tree_entries", settings.tree_entries, {1, 100'000'000});
  limits.size("tree_bytes", settings.tree_bytes, {1, 16 * kTera});
  limits.count("tree_depth", settings.tree_depth, {1, 1000});
  limits.count("path_length", settings.path_length, {1, 4000});
  limits.size("push_bytes", settings.push_bytes, {1, 16 * kTera});
  limits.size("push_memory", settings.push_memory, {std::uint64_t{64} << 20, 16 * kTera});
  limits.duration("push_timeout", settings.push_timeout, kUpToADay);
  limits.count("pushes", settings.pushes, {1, 1000});
  limits.duration("build_timeout", settings.build_timeout, kUpToADay);
  limits.duration("build_silence", settings.build_silence, {0ms, 24h});
  limits.size("build_disk", settings.build_disk, {std::uint64_t{1} << 20, 16 * kTera});
  limits.count("build_files", settings.build_files, {100, 1'000'000'000});
  limits.duration("release_timeout", settings.release_timeout, kUpToADay);
  limits.count("builds", settings.builds, {0, 1000});
  limits.size("build_memory", settings.build_memory, {0, 16 * kTera});
  limits.count("build_processes", settings.build_processes, {16, 1'000'000});
  limits.size("build_tmp", settings.build_tmp, {std::uint64_t{1} << 20, 16 * kTera});
  limits.size("instance_memory", settings.instance_memory, {0, 16 * kTera});
  limits.count("instance_processes", settings.instance_processes, {1, 1'000'000});
  limits.size("instance_tmp", settings.instance_tmp, {std::uint64_t{1} << 20, 16 * kTera});
  limits.size("log_bytes", settings.log_bytes, {std::uint64_t{16} << 10, std::uint64_t{16} << 30});
  limits.size("data_bytes", settings.data_bytes, {0, 1024 * kTera});
  limits.size("service_disk", settings.service_disk, {0, 1024 * kTera});
  limits.refuse_unknown_keys();
}

void read_retention(TomlSection retention, Settings& settings) {
  retention.count("releases", settings.keep_releases, {0, 1000});
  retention.count("deployments", settings.keep_deployments, {1, 1'000'000});
  retention.count("audit", settings.keep_audit, {100, 10'000'000});
  retention.size("free_space", settings.free_space, {0, std::uint64_t{1} << 60});
  retention.refuse_unknown_keys();
}

void read_health(TomlSection health, Settings& settings) {
  constexpr DurationRange kUpToAnHour{0ms, 1h};
  health.duration("settle", settings.settle, kUpToAnHour);
  health.duration("watch", settings.watch, kUpToAnHour);
  health.refuse_unknown_keys();
}

bool is_variable_name(std::string_view name) {
  const auto is_name_character = [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
  };
  return !name.empty() && !(name.front() >= '0' && name.front() <= '9') &&
         std::all_of(name.begin(), name.end(), is_name_character);
}

void read_environment(TomlSection variables, Settings& settings) {
  for (const std::string& name : variables.keys()) {
    if (!is_variable_name(name)) {
      variables.refuse(name, fmt::format("{} is not the name of a variable", variables.shown(name)),
                       "use letters, digits and \"_\", and do not begin with a digit");
    }
    if (const auto why = why_reserved(name)) {
      variables.refuse(name, fmt::format("{} is reserved: {}", variables.shown(name), *why), "choose another name");
    }
    std::string value = *variables.text(name);
    if (name.size() + value.size() > kLongestVariable) {
      variables.refuse(name, fmt::format("{} is {} long, and the limit is {}", variables.shown(name),
                                         format_bytes(value.size()), format_bytes(kLongestVariable)));
    }
    settings.build_environment.emplace(name, std::move(value));
  }
}

void read_build(TomlSection build, Settings& settings) {
  if (auto variables = build.section("environment")) read_environment(*std::move(variables), settings);
  build.refuse_unknown_keys();
}

bool overlap(const ListenAddress& a, const ListenAddress& b) {
  return a.port == b.port && (a.host == b.host || a.host == "*" || b.host == "*");
}

// What no section can tell alone. The error stands where the file speaks of it, in the last section that does.
void check_agreement(const TomlSection& top, const Settings& settings) {
  const auto key_of = [&](std::initializer_list<std::string_view> sections) {
    std::string_view found;
    for (const std::string_view section : sections) {
      if (top.has(section)) found = section;
    }
    return found;
  };
  if (settings.acme && !settings.https) {
    top.refuse("acme", "[acme] obtains certificates, and without [https] the router shows none",
               "add [https] with listen = \"*:443\"");
  }
  std::vector<std::pair<std::string, ListenAddress>> addresses{{"http", settings.http}};
  if (settings.https) addresses.emplace_back("https", *settings.https);
  if (settings.ssh_enabled) addresses.emplace_back("ssh", settings.ssh);
  for (std::size_t one = 0; one < addresses.size(); ++one) {
    for (std::size_t other = one + 1; other < addresses.size(); ++other) {
      const auto& [name, address] = addresses[one];
      const auto& [other_name, other_address] = addresses[other];
      if (!overlap(address, other_address)) continue;
      top.refuse(key_of({name, other_name}),
                 fmt::format("[{}] and [{}] cannot both listen on port {} ({} and {})", name, other_name, address.port,
                             address.str(), other_address.str()));
    }
  }
  const auto check_range = [&](const std::string& section, const ListenAddress& address) {
    if (address.port < settings.first_port || address.port > settings.last_port) return;
    top.refuse(key_of({section, "ports"}),
               fmt::format("[{}] listens on port {}, which is in the range of app ports ({} to {})", section,
                           address.port, settings.first_port, settings.last_port),
               "change one of the two, or an app could take the port while nothing listens on it");
  };
  for (const auto& [name, address] : addresses) check_range(name, address);
}

}  // namespace

Settings parse_settings(const std::string& text, const std::string& file_name, const Settings& defaults) {
  const TomlDocument document(text, file_name);
  TomlSection top = document.top();
  Settings settings = defaults;
  if (auto http = top.section("http")) read_http(*std::move(http), settings);
  if (auto https = top.section("https")) read_https(*std::move(https), settings);
  if (auto acme = top.section("acme")) read_acme(*std::move(acme), settings);
  if (auto ssh = top.section("ssh")) read_ssh(*std::move(ssh), settings);
  if (auto ports = top.section("ports")) read_ports(*std::move(ports), settings);
  if (auto limits = top.section("limits")) read_limits(*std::move(limits), settings);
  if (auto retention = top.section("retention")) read_retention(*std::move(retention), settings);
  if (auto health = top.section("health")) read_health(*std::move(health), settings);
  if (auto build = top.section("build")) read_build(*std::move(build), settings);
  if (auto mounts = top.section("mounts")) settings.mounts = read_offered_directories(*std::move(mounts));
  top.refuse_unknown_keys();
  check_agreement(top, settings);
  return settings;
}

Settings load_settings(const std::filesystem::path& file, const Settings& defaults) {
  const std::string shown = escaped(file.filename().string());
  const auto text = read_plain_file(file, shown, kLargestFile, Symlinks::Follow);
  return text ? parse_settings(*text, shown, defaults) : defaults;
}

}  // namespace pushrod
