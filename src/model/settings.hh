// server.toml as values: the operator's settings, each with a default.
// config/ reads the file; docs/settings.md tells each key.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "model/host_mount.hh"
#include "os/clock.hh"
#include "os/socket.hh"

namespace pushrod {

struct ListenAddress {
  std::string host;  // an IPv4 or IPv6 address, or "*"
  Port port = 0;
  std::string str() const;  // "127.0.0.1:8080", "[::1]:8080", "*:80"
};
// "127.0.0.1:8080", "[::1]:8080", "*:80", ":80" (= "*:80"). Throws UserError.
ListenAddress parse_listen_address(const std::string& text);

// "10.0.0.7", "10.0.0.0/24", "2001:db8::/48".
bool is_network(std::string_view text);

// [acme]
struct AcmeSettings {
  std::string directory = "https://acme-v02.api.letsencrypt.org/directory";
  std::string email;
  std::string ca_file{};  // who certifies the directory's own server; empty: the system's
  // "192.0.2.53:53": which servers are asked whether a record of DNS-01 is there; empty: the domain's own
  std::vector<std::string> dns_resolvers{};
  bool is_lets_encrypt() const;  // or its staging environment
};

struct Settings {
  // [http]
  ListenAddress http{"*", 8080};
  std::string domain = "localhost";          // apps answer as <app>.<domain>
  unsigned connections = 12'000;             // of clients, open at a time
  unsigned app_connections = 1'000;          // of these, with a request to one app; WebSockets included
  unsigned address_connections = 500;        // of these, from one address
  std::vector<std::string> proxies;          // addresses and networks that many clients share
  std::vector<std::string> trusted_proxies;  // those whose X-Forwarded-* headers are believed
  bool h2c = false;                          // clients may speak HTTP/2 without TLS, with prior knowledge
  bool proxy_protocol = false;               // connections from trusted_proxies begin with a PROXY protocol header
  // [https]; absent: no TLS
  std::optional<ListenAddress> https;
  // [acme]; absent, or its terms not agreed to: no certificates are obtained
  std::optional<AcmeSettings> acme;
  // [ssh]
  bool ssh_enabled = true;
  ListenAddress ssh{"*", 2222};
  // [ports]
  Port first_port = 20000;
  Port last_port = 29999;
  // [limits]
  std::uint64_t tree_entries = 200'000;  // files and directories of a commit
  std::uint64_t tree_bytes = std::uint64_t{2} << 30;
  unsigned tree_depth = 60;
  unsigned path_length = 1024;
  std::uint64_t push_bytes = std::uint64_t{1} << 30;     // receive.maxInputSize
  std::uint64_t push_memory = std::uint64_t{512} << 20;  // of each git process that reads what clients have pushed
  Milliseconds push_timeout{3'600'000};                  // from the connection to the verdict
  unsigned pushes = 8;                                   // of one key on their way at a time
  Milliseconds build_timeout{900'000};
  Milliseconds build_silence{300'000};                 // without output; 0: no limit
  std::uint64_t build_disk = std::uint64_t{20} << 30;  // of its checkout, cache and layer
  std::uint64_t build_files = 2'000'000;               // the same, files and directories
  Milliseconds release_timeout{600'000};
  unsigned builds = 0;                               // at a time; 0: as many as there are processors
  std::uint64_t build_memory = 0;                    // of a build, release command or job; 0: no limit
  unsigned build_processes = 4096;                   // the same, and threads
  std::uint64_t build_tmp = std::uint64_t{4} << 30;  // of its /tmp, and again of its /dev/shm
  std::uint64_t instance_memory = 0;   // the most of an instance, and what it has unless its app asks for less; 0: none
  unsigned instance_processes = 1024;  // the same, processes and threads
  std::uint64_t instance_tmp = std::uint64_t{1} << 30;  // of its /tmp, and again of its /dev/shm
  std::uint64_t log_bytes = 10u << 20;                  // per instance
  std::uint64_t data_bytes = 0;                         // of an app's /data; 0: none
  std::uint64_t service_disk = 0;                       // of the data of a service that says nothing else; 0: none
  // [retention]
  unsigned keep_releases = 5;                         // built, beside the live one's predecessor
  unsigned keep_deployments = 200;                    // records and logs per app
  unsigned keep_audit = 10'000;                       // records
  std::uint64_t free_space = std::uint64_t{1} << 30;  // below it room is made, and nothing is deployed
  // [health], for process types that say nothing else
  Milliseconds settle{1'000};
  Milliseconds watch{30'000};
  // [build.environment]
  std::map<std::string, std::string> build_environment;
  // [mounts]: deploy/host_mounts.hh reads them anew when they count
  OfferedDirectories mounts;
};

}  // namespace pushrod
