// A copy of an app's /data, as an app's copy of it would be: made in a sandbox that sees nothing else, since what an
// app has written may lead elsewhere.
#pragma once

#include <filesystem>

#include "model/layout.hh"

namespace pushrod {

// Into a new directory. Files share their blocks where the file system can do that. Sockets are left out.
void copy_data(const Layout& layout, const std::filesystem::path& data, const std::filesystem::path& copy);

}  // namespace pushrod
