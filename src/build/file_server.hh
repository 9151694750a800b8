// The web server for files, and for PHP: nginx, which the release runs itself, in its sandbox. A build step writes its
// configuration into /server, a directory of the release. Used inside build/ only.
#pragma once

#include <string>

#include "build/builders.hh"

namespace pushrod {

struct FileServer {
  std::string root;       // the directory that it serves, in the sandbox: "/app/public"; it may be made by the build
  std::string php_fpm{};  // the program that runs the .php files; empty: they are not served
};

bool has_file_server(const Host& host);
// Adds the step, the mount and the web process. Throws Error where the machine has no nginx.
void add_file_server(const FileServer& server, const Host& host, BuildPlan& plan);

}  // namespace pushrod
