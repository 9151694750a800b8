// server.toml: what each key sets, and what a wrong file is told.
#include "config/settings_file.hh"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <chrono>

#include "fixtures.hh"

namespace pushrod {
namespace {

using namespace std::chrono_literals;

Settings settings_of(const std::string& text) { return parse_settings(text, "server.toml"); }
std::string problem_of(const std::string& text) {
  return refusal([&] { settings_of(text); });
}

TEST(SettingsFile, AnEmptyTextGivesTheDefaults) {
  const Settings settings = settings_of("");
  const Settings defaults;
  EXPECT_EQ(settings.http.str(), defaults.http.str());
  EXPECT_EQ(settings.domain, "localhost");
  EXPECT_TRUE(settings.ssh_enabled);
  EXPECT_EQ(settings.first_port, defaults.first_port);
  EXPECT_EQ(settings.tree_bytes, defaults.tree_bytes);
  EXPECT_EQ(settings.build_timeout, defaults.build_timeout);
  EXPECT_TRUE(settings.build_environment.empty());
}

TEST(SettingsFile, CertificatesAreObtainedOnceTheTermsAreAgreedTo) {
  const std::string https = "[https]\n", agreed = "[acme]\nagree_tos = true\nemail = \"you@example.com\"\n";
  EXPECT_FALSE(settings_of(https).acme);
  EXPECT_FALSE(settings_of(https + "[acme]\nemail = \"you@example.com\"").acme);
  const auto acme = settings_of(https + agreed).acme.value();
  EXPECT_EQ(acme.email, "you@example.com");
  EXPECT_EQ(acme.directory, "https://acme-v02.api.letsencrypt.org/directory");
  EXPECT_TRUE(acme.is_lets_encrypt());
  EXPECT_EQ(settings_of(https + agreed + "dns_resolvers = [\"192.0.2.53:53\"]").acme->dns_resolvers,
            std::vector<std::string>{"192.0.2.53:53"});
  EXPECT_EQ(settings_of(https + agreed + "directory = \"staging\"").acme->directory,
            "https://acme-staging-v02.api.letsencrypt.org/directory");
  const auto own = settings_of(https + agreed + "directory = \"https://ca.lan/dir\"\nca_file = \"/etc/ca.pem\"").acme;
  EXPECT_EQ(own->ca_file, "/etc/ca.pem");
  EXPECT_FALSE(own->is_lets_encrypt());
}

TEST(SettingsFile, AcmeThatCannotWorkIsRefused) {
  const std::string acme = "[https]\n[acme]\nagree_tos = true\n";
  EXPECT_NE(problem_of(acme).find("must be an address of yours"), std::string::npos);
  for (const std::string email : {"you", "a/../b@example.com", "-a@example.com", "a@b", "a b@example.com"}) {
    EXPECT_NE(problem_of(acme + "email = \"" + email + "\"").find("must be an address"), std::string::npos) << email;
  }
  const auto with = acme + "email = \"you@example.com\"\n";
  EXPECT_NE(problem_of(with + "directory = \"http://ca\"").find("not an https address"), std::string::npos);
  EXPECT_NE(problem_of(with + "ca_file = \"ca.pem\"").find("not an absolute path"), std::string::npos);
  EXPECT_NE(problem_of(with.substr(8)).find("without [https]"), std::string::npos);
}

TEST(SettingsFile, EveryKeySetsItsValue) {
  const Settings settings = settings_of(R"(
    [http]
    listen = "127.0.0.1:81"
    domain = "apps.example.com"
    connections = 1000
    app_connections = 101
    address_connections = 102
    proxies = ["10.0.0.7", "10.1.0.0/16", "2001:db8::/48"]
    trusted_proxies = ["10.2.0.0/16"]
    proxy_protocol = true
    [ssh]
    enabled = false
    listen = "[::1]:2200"
    [ports]
    first = 3000
    last = 3999
    [limits]
    tree_entries = 11
    tree_bytes = "12M"
    tree_depth = 13
    path_length = 14
    push_bytes = 15
    push_memory = "65M"
    push_timeout = "16m"
    pushes = 3
    build_timeout = "17m"
    build_silence = "0"
    build_disk = "3G"
    build_files = 1234
    release_timeout = "1h18m"
    builds = 19
    log_bytes = "20k"
    data_bytes = "7G"
    service_disk = "8G"
    [retention]
    releases = 21
    deployments = 22
    audit = 123
    free_space = "24M"
    [health]
    settle = 0
    watch = "2m"
    [build.environment]
    HTTP_PROXY = "http://proxy:3128"
    EMPTY = ""
  )");
  EXPECT_EQ(settings.http.str(), "127.0.0.1:81");
  EXPECT_EQ(settings.domain, "apps.example.com");
  EXPECT_EQ(settings.connections, 1000U);
  EXPECT_EQ(settings.app_connections, 101U);
  EXPECT_EQ(settings.address_connections, 102U);
  EXPECT_EQ(settings.proxies, (std::vector<std::string>{"10.0.0.7", "10.1.0.0/16", "2001:db8::/48"}));
  EXPECT_EQ(settings.trusted_proxies, (std::vector<std::string>{"10.2.0.0/16"}));
  EXPECT_TRUE(settings.proxy_protocol);
  EXPECT_FALSE(settings.ssh_enabled);
  EXPECT_EQ(settings.ssh.str(), "[::1]:2200");
  EXPECT_EQ(settings.first_port, 3000);
  EXPECT_EQ(settings.last_port, 3999);
  EXPECT_EQ(settings.tree_entries, 11U);
  EXPECT_EQ(settings.tree_bytes, 12U << 20);
  EXPECT_EQ(settings.tree_depth, 13U);
  EXPECT_EQ(settings.path_length, 14U);
  EXPECT_EQ(settings.push_bytes, 15U);
  EXPECT_EQ(settings.push_memory, 65U << 20);
  EXPECT_EQ(settings.push_timeout, 16min);
  EXPECT_EQ(settings.pushes, 3U);
  EXPECT_EQ(settings.build_timeout, 17min);
  EXPECT_EQ(settings.build_silence, 0ms);
  EXPECT_EQ(settings.build_disk, std::uint64_t{3} << 30);
  EXPECT_EQ(settings.build_files, 1234U);
  EXPECT_EQ(settings.release_timeout, 78min);
  EXPECT_EQ(settings.builds, 19U);
  EXPECT_EQ(settings.log_bytes, 20U << 10);
  EXPECT_EQ(settings.data_bytes, std::uint64_t{7} << 30);
  EXPECT_EQ(settings.service_disk, std::uint64_t{8} << 30);
  EXPECT_EQ(settings.keep_audit, 123U);
  EXPECT_EQ(settings.free_space, 24U << 20);
  EXPECT_EQ(settings.settle, 0ms);
  EXPECT_EQ(settings.watch, 2min);
  EXPECT_EQ(settings.keep_releases, 21U);
  EXPECT_EQ(settings.keep_deployments, 22U);
  EXPECT_EQ(settings.build_environment,
            (std::map<std::string, std::string>{{"EMPTY", ""}, {"HTTP_PROXY", "http://proxy:3128"}}));
}

struct Wrong {
  std::string text;
  std::string problem;
};

const std::string kTimeForm = "a time from 1ms to 1d, such as 30 (seconds), \"500ms\" or \"1m30s\"";
const std::string kSections =
    " | known keys: [http], [https], [acme], [ssh], [ports], [limits], [retention], [health], [build], [mounts]";

TEST(SettingsFile, AWrongFileIsRefusedWithFileLineAndReason) {
  const Wrong cases[] = {
      // Keys.
      {"\n[http]\nlisen = \"*:80\"\n",
       R"(server.toml:3: unknown key "lisen" in [http]; did you mean "listen"? | known keys: "listen", "domain", "connections", "app_connections", "address_connections", "proxies", "trusted_proxies", "proxy_protocol", "h2c")"},
      {"[htpp]\n", "server.toml:1: unknown section [htpp]; did you mean [http]?" + kSections},
      {"listen = \"*:80\"\n", "server.toml:1: unknown key \"listen\" at the top level" + kSections},
      {"[build]\nHTTP_PROXY = \"x\"\n",
       R"(server.toml:2: unknown key "HTTP_PROXY" in [build] | known keys: "environment")"},
      {"[\"a\\u001b[2J\"]\n", "server.toml:1: unknown section [a\\x1b[2J]" + kSections},
      // Types.
      {"http = 3\n", "server.toml:1: \"http\" at the top level must be a table, not 3"},
      {"[[http]]\n", "server.toml:1: \"http\" at the top level must be a table, not a list"},
      {"[http]\nlisten = 80\n", "server.toml:2: \"listen\" in [http] must be a string in quotes, not 80"},
      {"[ssh]\nenabled = \"no\"\n", "server.toml:2: \"enabled\" in [ssh] must be true or false, not \"no\""},
      {"[limits]\nbuilds = 1.5\n",
       "server.toml:2: \"builds\" in [limits] must be a whole number from 0 to 1000, not 1.5"},
      {"[limits]\nbuilds = 2026-01-01\n",
       "server.toml:2: \"builds\" in [limits] must be a whole number from 0 to 1000, not a date"},
      // Ranges.
      {"[ports]\nfirst = 1023\n",
       "server.toml:2: \"first\" in [ports] must be a whole number from 1024 to 65535, not 1023"},
      {"[ports]\nlast = 65536\n",
       "server.toml:2: \"last\" in [ports] must be a whole number from 1024 to 65535, not 65536"},
      {"[ports]\nfirst = -9223372036854775808\n",
       "server.toml:2: \"first\" in [ports] must be a whole number from 1024 to 65535, not -9223372036854775808"},
      {"[limits]\ntree_bytes = \"2GB\"\n",
       "server.toml:2: \"tree_bytes\" in [limits] must be a size from 1 to 16T, such as 1000000, \"64M\" or \"2G\", "
       "not "
       "\"2GB\""},
      {"[limits]\npush_bytes = 0\n",
       "server.toml:2: \"push_bytes\" in [limits] must be a size from 1 to 16T, such as 1000000, \"64M\" or \"2G\", "
       "not "
       "0"},
      {"[limits]\nlog_bytes = \"1k\"\n",
       "server.toml:2: \"log_bytes\" in [limits] must be a size from 16k to 16G, such as 1000000, \"64M\" or \"2G\", "
       "not "
       "\"1k\""},
      {"[limits]\nbuild_timeout = \"25h\"\n",
       "server.toml:2: \"build_timeout\" in [limits] must be " + kTimeForm + ", not \"25h\""},
      {"[limits]\nrelease_timeout = 0\n",
       "server.toml:2: \"release_timeout\" in [limits] must be " + kTimeForm + ", not 0"},
      {"[limits]\nrelease_timeout = -1\n",
       "server.toml:2: \"release_timeout\" in [limits] must be " + kTimeForm + ", not -1"},
      {"[retention]\ndeployments = 0\n",
       "server.toml:2: \"deployments\" in [retention] must be a whole number from 1 to 1000000, not 0"},
      // Values with rules of their own.
      {"[http]\nlisten = \"80\"\n",
       "server.toml:2: \"listen\" in [http]: listen address \"80\" has no port: write ADDRESS:PORT, such as "
       "127.0.0.1:8080, [::1]:8080 or *:80"},
      {"[http]\nproxies = [\"10.0.0.1\", \"10.0.0.0/33\"]\n",
       "server.toml:2: \"proxies\" in [http] has \"10.0.0.0/33\", which is not an address or a network | use IP "
       "addresses "
       "or networks, such as \"10.0.0.7\", \"10.0.0.0/24\" or \"2001:db8::/48\""},
      {"[http]\ntrusted_proxies = [\"proxy\"]\n",
       "server.toml:2: \"trusted_proxies\" in [http] has \"proxy\", which is not an address or a network | use IP "
       "addresses or networks, such as \"10.0.0.7\", \"10.0.0.0/24\" or \"2001:db8::/48\""},
      {"[http]\nproxy_protocol = true\n",
       "server.toml:2: proxy_protocol = true needs trusted_proxies | list the proxies that send the PROXY protocol, "
       "for "
       "example trusted_proxies = [\"10.0.0.7\"]"},
      {"[http]\nproxies = [\"10.0.0.1 }\"]\n",
       "server.toml:2: \"proxies\" in [http] has \"10.0.0.1 }\", which is not an address or a network | use IP "
       "addresses "
       "or networks, such as \"10.0.0.7\", \"10.0.0.0/24\" or \"2001:db8::/48\""},
      {"[build.environment]\n\"A B\" = \"x\"\n",
       "server.toml:2: \"A B\" in [build.environment] is not the name of a variable | use letters, digits "
       "and \"_\", and do not begin with a digit"},
      {"[build.environment]\n\nPATH = \"/bin\"\n",
       "server.toml:3: \"PATH\" in [build.environment] is reserved: Pushrod sets it itself | choose another name"},
      {"[build.environment]\nA = 3\n", "server.toml:2: \"A\" in [build.environment] must be a string in quotes, not 3"},
      {"[build.environment]\nA = \"a\\u0000b\"\n",
       "server.toml:2: \"A\" in [build.environment] contains a NUL character"},
      {"[build.environment]\nA = \"" + std::string(131'072, 'x') + "\"\n",
       "server.toml:2: \"A\" in [build.environment] is 131 kB long, and the limit is 131 kB"},
      // Settings that contradict each other.
      {"[ports]\nfirst = 30000\n", "server.toml:2: [ports] is empty: it goes from 30000 to 29999"},
      {"[ports]\nfirst = 3000\nlast = 2999\n", "server.toml:3: [ports] is empty: it goes from 3000 to 2999"},
      {"[ssh]\nlisten = \"127.0.0.1:8080\"\n",
       "server.toml:1: [http] and [ssh] cannot both listen on port 8080 (*:8080 and 127.0.0.1:8080)"},
      {"[http]\nlisten = \"[::1]:80\"\n[ssh]\nlisten = \"[::1]:80\"\n",
       "server.toml:3: [http] and [ssh] cannot both listen on port 80 ([::1]:80 and [::1]:80)"},
      {"[ports]\nfirst = 8000\n[http]\n[limits]\n",
       "server.toml:1: [http] listens on port 8080, which is in the range of app ports (8000 to 29999) | change "
       "one of the two, or an app could take the port while nothing listens on it"},
      // No TOML at all.
      {"[http]\n[http]\n", "server.toml:2: Error while parsing table header: cannot redefine existing table 'http'"},
      {"[ports]\nfirst = 3000\nfirst = 3001\n",
       "server.toml:3: Error while parsing key-value pair: cannot redefine existing integer 'first'"},
      {"[http\n", "server.toml:1: Error while parsing table header: expected ']', saw the end of the line"},
      {"[http]\n\ndomain = \"\xff\"\n", "server.toml:3: not valid UTF-8 | save the file as UTF-8"},
  };
  for (const Wrong& wrong : cases) EXPECT_EQ(problem_of(wrong.text), wrong.problem) << wrong.text.substr(0, 200);
}

TEST(SettingsFile, TheDomainIsAHostName) {
  for (const std::string domain : {"localhost", "a.b", "apps.example.com", "x1-2.example", "4you.example"}) {
    EXPECT_EQ(settings_of("[http]\ndomain = \"" + domain + "\"\n").domain, domain);
  }
  const std::string long_label(64, 'a');
  const std::string long_name =
      std::string(60, 'a') + "." + std::string(60, 'b') + "." + std::string(60, 'c') + "." + std::string(60, 'd');
  for (const std::string& domain : std::vector<std::string>{
           "", "Example.com", "example.com.", ".example.com", "a..b", "-a.b", "a-.b", "a_b.c", "a b", "a/b",
           "b\xc3\xbc.de", "example.com:80", "*", "127.0.0.1", long_label, long_name}) {
    EXPECT_TRUE(problem_of("[http]\ndomain = \"" + domain + "\"\n")
                    .starts_with("server.toml:2: \"domain\" in [http] is not a host name: "))
        << domain;
  }
}

TEST(SettingsFile, TheTwoListenersMayShareAPortOnTwoAddresses) {
  EXPECT_EQ(problem_of("[http]\nlisten = \"127.0.0.1:900\"\n[ssh]\nlisten = \"127.0.0.2:900\"\n"), "(nothing thrown)");
  EXPECT_EQ(problem_of("[ssh]\nlisten = \"*:8080\"\nenabled = false\n"), "(nothing thrown)");
}

TEST(SettingsFile, AMissingFileGivesTheDefaults) {
  const ConfigDirectory directory;
  EXPECT_EQ(load_settings(directory.path() / "server.toml").domain, "localhost");
}

TEST(SettingsFile, AFileMayBeASymlinkOfTheOperators) {
  const ConfigDirectory directory;
  directory.write("elsewhere", "[http]\ndomain = \"a.example\"\n");
  std::filesystem::create_symlink("elsewhere", directory.path() / "server.toml");
  EXPECT_EQ(load_settings(directory.path() / "server.toml").domain, "a.example");
}

TEST(SettingsFile, OnlyAPlainFileOfSensibleSizeIsRead) {
  const ConfigDirectory directory;
  const std::filesystem::path file = directory.path() / "server.toml";
  const auto problem = [&] { return refusal([&] { load_settings(file); }); };
  ASSERT_EQ(mkfifo(file.c_str(), 0600), 0);
  EXPECT_EQ(problem(),
            "server.toml is a named pipe, not a regular file | replace server.toml by a regular file, or remove it");
  std::filesystem::remove(file);
  std::filesystem::create_symlink("/dev/zero", file);
  EXPECT_EQ(problem(),
            "server.toml is a device, not a regular file | replace server.toml by a regular file, or remove it");
  std::filesystem::remove(file);
  directory.write("server.toml", std::string((std::size_t{1} << 20) + 1, '\n'));
  EXPECT_EQ(problem(), "server.toml is 1.0 MB long, and the limit is 1.0 MB");
  directory.write("server.toml", std::string(std::size_t{1} << 20, '\n'));
  EXPECT_EQ(problem(), "(nothing thrown)");
}

}  // namespace
}  // namespace pushrod
