// [http] of pushrod.toml:
//
//   [http]
//   max_body = "10M"                # of a request; a larger one gets 413
//   timeout = "1m"                  # silence of the app before or within an answer: 504
//   idle_timeout = "10m"            # of a WebSocket
//   compress = false                # the router does not compress text
//   keep_underscores = true         # request headers such as X_Api_Key reach the app
//   [http.headers]
//   X-Frame-Options = "DENY"        # of each answer
//   [http.pages]
//   503 = "errors/503.html"         # in place of the router's page
//   [[http.redirect]]
//   from = "/old/*"
//   to = "/new/*"
//   status = 301
//
// Used by app_manifest.cc.
#pragma once

#include <filesystem>

#include "config/toml_section.hh"
#include "model/http_rules.hh"
#include "model/process.hh"

namespace pushrod {

HttpRules read_http_rules(TomlSection& top);

// The rules with the content of the pages in place of their files, which are in the app's directory. Throws UserError
// for a file that is missing, too long or not text.
HttpRules with_pages(HttpRules rules, const std::filesystem::path& directory);

// Of [processes.web]: protocol = "h2".
void read_protocol(TomlSection& section, Process& process);
// The same: static = "public", a directory of the app that nginx serves. The process has no command of its own then.
void read_static_files(TomlSection& section, const Process& process, AppManifest& manifest);

}  // namespace pushrod
