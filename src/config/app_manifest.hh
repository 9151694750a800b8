// pushrod.toml and Procfile of an app → AppManifest.
// Every key that can push writes this text, so it is not trusted: a file is opened without following symlinks, has at
// most 256 kB, is valid UTF-8 and nested at most 32 deep. Errors are UserErrors that name file and line.
//
//   [processes]
//   worker = "python3 jobs.py"                    # a string, or a table:
//   [processes.web]
//   command = "python3 app.py"
//   count = 2                                     # 0 to 64; 0: none runs
//   overlap = false
//   stop_timeout = "30s"                          # times up to a day; a bare number is seconds
//   drain_timeout = "1m"
//   health = { path = "/up", timeout = "10s" }    # path: web only, the one type with a port
//   [build]
//   command = "make"                              # or:
//   builder = ["node", "python"]                  # one name or several, in this order; the last one serves
//   after = "make docs"                           # runs after the builder, or the command
//   network = false                               # the build gets none
//   submodules = false                            # those of the repo may be missing
//   buildpacks = ["./buildpack", "https://x.example/pack.git#0a1b2c3"]   # instead of a builder
//   root = "../.."                                # a directory above the app's that is /app; relative to the app's
//   [release]
//   command = "./migrate"
//   [settings]
//   required = ["DATABASE_URL"]                   # without these it is not deployed
//   [backup]
//   before = "./dump"
//   [mounts]                                      # mounts_section.hh
//   "/srv/media" = "media"
//   [[cron]]                                      # cron_section.hh
//   schedule = "@daily"
//   command = "./clean"
//
// A table of [processes] may leave its command to a line of the Procfile, to which it then adds, or else to the builder
// (npm start): such a process has an empty command here. Apart from that, [processes] and a Procfile together are
// refused when they name different types, or the same one with different commands: one place must be true. (Procfile
// alone, pushrod.toml alone, or a pushrod.toml without [processes] beside a Procfile are all fine.)
//
// A Procfile has lines "name: command"; blank lines and lines that begin with "#" are skipped, spaces around a command
// do not count. Its line "release" is not a process but the release command; together with [release] command it is
// refused.
#pragma once

#include <filesystem>
#include <string>

#include "model/process.hh"

namespace pushrod {

inline constexpr std::uint64_t kMostInstances = 64;  // of one process type

AppManifest parse_manifest(const std::string& text, const std::string& file_name);
// A line "release" is an ordinary entry here; load_manifest makes it the release command.
ProcessTable parse_procfile(const std::string& text, const std::string& file_name);
// Reads both files in the directory, which ends in `shown_path`, the app's path in the repo (empty: the root). Neither
// file needs to be there; the directory does, and no part of shown_path may be a symlink.
// An app.json adds to them (app_json.hh), but not to a chosen file that names processes.
// `config`: the file of the repo, chosen by the operator, that is read instead of pushrod.toml. It must be there, and
// if it names processes with their commands, they are all that there are: a Procfile is of other apps.
AppManifest load_manifest(const std::filesystem::path& directory, const std::string& shown_path,
                          const std::string& config = {});

}  // namespace pushrod
