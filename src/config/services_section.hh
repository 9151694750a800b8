// [services] in pushrod.toml → DeclaredServices.
// Used by app_manifest.cc alone. services/ knows the types; here any word is one.
//
//   [services]
//   db = "postgres"
//   cache = { type = "redis", memory = "64M" }
//   reports = { type = "postgres", version = "15", prefix = "REPORTS" }   # REPORTS_URL
//   legacy = { type = "mariadb", tcp = true }   # by a port of 127.0.0.1
#pragma once

#include "config/toml_section.hh"
#include "model/process.hh"

namespace pushrod {

DeclaredServices read_services(TomlSection section);

}  // namespace pushrod
