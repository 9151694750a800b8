// The text of nginx's and php-fpm's configuration. Used inside build/ only.
#pragma once

#include <string>

namespace pushrod {

// "@PORT@" stands for the port. What is served lies in /server/root; all that nginx writes lies in /tmp.
std::string render_nginx(bool php);
// "@CHILDREN@" stands for the number of processes.
extern const char* const kPhpFpmConfig;

}  // namespace pushrod
