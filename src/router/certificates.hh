// Certificates that HAProxy shows. Each content has a file of its own name (an id is part of it), so a certificate that
// is renewed is a new one that comes before the old one goes.
// Used inside router/ only.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "router/master_socket.hh"
#include "router/router.hh"

namespace pushrod {

inline constexpr const char* kCertificateList = "certificates.list";  // HAProxy's crt-list
inline constexpr const char* kCertificateDirectory = "certificates";
inline constexpr const char* kTicketKeys = "tickets.keys";

// By file, as the list and HAProxy name it ("certificates/www.example.com.1f2e.pem").
struct CertificateFile {
  std::string host;
  std::filesystem::path source;
};
using CertificateFiles = std::map<std::string, CertificateFile>;

CertificateFiles certificate_files(const RoutingTable& table);
// "file host" lines, sorted.
std::string render_certificate_list(const CertificateFiles& files);
// Of `show ssl crt-list`: host by file.
MapEntries parse_certificate_list(std::string_view answer);

// Puts the files where HAProxy reads them; the list last.
void install_certificates(const std::filesystem::path& directory, const CertificateFiles& files);
// Files of certificates that are not shown any more; once HAProxy knows that.
void remove_old_certificates(const std::filesystem::path& directory, const CertificateFiles& files);

// Shows to a running HAProxy those that it does not have. Throws Error with HAProxy's words.
void add_certificates(const MasterSocket& master, const std::filesystem::path& directory, const CertificateFiles& files,
                      const MapEntries& known);
// The commands that take away those that are not wanted.
std::vector<std::string> certificate_removals(const CertificateFiles& files, const MapEntries& known);

// Keys that seal the tickets with which clients resume TLS sessions: made when there are none.
void install_ticket_keys(const std::filesystem::path& directory);
// A new key in place of the oldest of three. Returns it.
std::string rotate_ticket_keys(const std::filesystem::path& directory);

}  // namespace pushrod
