// How names are resolved in a sandbox: what its /etc/hosts, gai.conf and nsswitch.conf say, made from the host's.
// Pure. Used inside sandbox/ only.
#pragma once

#include <string>

namespace pushrod {

// localhost and the sandbox's own name (if it has one) are 127.0.0.1, then ::1; the host's other names follow.
std::string render_hosts(const std::string& of_host, const std::string& host_name);

// The host's rules, and ::1 after every other address: getaddrinfo() would return it before 127.0.0.1, and a program
// that listens on "localhost" would not be reached by the router.
std::string render_gai_conf(const std::string& of_host);

// The host's, with /etc/hosts asked first.
std::string render_nsswitch(const std::string& of_host);

}  // namespace pushrod
