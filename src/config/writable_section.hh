// [app] writable of pushrod.toml: which paths of /app the app's processes may write to.
// Used inside config/ only.
#pragma once

#include "config/toml_section.hh"
#include "model/process.hh"

namespace pushrod {

// `true` and "." are {"."}: all of /app. Throws UserError, with the line, for a path that is absolute, leads out of the
// app's directory, or is named twice.
WritablePaths read_writable(TomlSection& app);

}  // namespace pushrod
