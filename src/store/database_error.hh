// What SQLite's result codes mean to a person, and what to do then.
// Used inside store/ only.
#pragma once

#include <filesystem>
#include <string>

#include "base/error.hh"
#include "os/clock.hh"

namespace pushrod {

// `code` is an extended result code, `message` SQLite's own text for it.
Error database_error(const std::filesystem::path& path, Milliseconds patience, int code, const std::string& message);

// The file's content is not what Pushrod writes.
Error damaged(const std::filesystem::path& path, const std::string& reason);

}  // namespace pushrod
