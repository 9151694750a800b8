// pushrod.toml and Procfile of an app → AppManifest.
// Floor 3. The text comes from whoever may push: every file is opened without following symlinks, at most 256 kB, valid
// UTF-8, nested at most 32 deep; errors are UserErrors that name file and line.
//
//   [processes]
//   web = "python3 app.py"                        # a string, or a table:
//   worker = { command = "…", count = 2, overlap = false, stop_timeout = "30s", drain_timeout = "1m",
//              health = { path = "/up", timeout = "10s" } }
//   [build]
//   command = "make"
//   [release]
//   command = "./migrate"
//
// pushrod.toml's [processes] and a Procfile together are refused when they name different types or the same one twice
// with different commands: one place must be true. (Procfile alone, pushrod.toml alone, or a pushrod.toml without
// [processes] beside a Procfile are all fine.)
#pragma once

#include <filesystem>
#include <string>

#include "model/process.hh"

namespace pushrod {

AppManifest parse_manifest(const std::string& text, const std::string& file_name);
ProcessTable parse_procfile(const std::string& text, const std::string& file_name);
// Reads both files in the directory; neither needs to be there. `shown_path` is the app's path in the repo, for errors.
AppManifest load_manifest(const std::filesystem::path& directory, const std::string& shown_path);

}  // namespace pushrod
