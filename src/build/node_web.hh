// What serves a Node.js app: its start script, its framework's own server, or the files that its build makes. Used
// inside build/ only.
#pragma once

#include <filesystem>
#include <map>
#include <string>

#include "build/package_json.hh"

namespace pushrod {

// "start"; "start:prod" where "start" is a server for development; empty: none of its scripts, since there is none, or
// it is one for development and framework_server() or output_of_site() know better.
std::string script_that_starts(const std::filesystem::path& directory, const PackageJson& package);

// The command that runs what the framework's build makes ("node .output/server/index.mjs"); empty: none is known.
std::string framework_server(const std::filesystem::path& directory, const PackageJson& package);

// An adapter that builds for a host elsewhere, and what to do; empty: it has none.
std::string told_other_host(const std::filesystem::path& directory, const PackageJson& package);

// What the author of a framework's server should know, with what to do; empty: nothing.
std::string told_framework(const std::filesystem::path& directory, const PackageJson& package);

// The directory that the build of a site without a server writes ("dist"); empty: it is no such site.
std::string output_of_site(const std::filesystem::path& directory, const PackageJson& package);

// The start script is a server for development, and the site is served as files instead.
bool is_served_as_files(const std::filesystem::path& directory, const PackageJson& package);

// What the dev script runs, without watching files ("node src/index.js" of "nodemon src/index.js"); empty: it is none
// that runs one file.
std::string program_of_dev_script(const PackageJson& package);

// What the framework's build must be told, to make something that runs here.
std::map<std::string, std::string> framework_build_environment(const PackageJson& package);

}  // namespace pushrod
