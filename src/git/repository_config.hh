// The text of a repository's config file. Only Pushrod writes that file.
// Pure; private to git/.
#pragma once

#include <filesystem>
#include <string>

#include "model/settings.hh"

namespace pushrod {

std::string render_repository_config(const std::filesystem::path& hooks, const Settings& settings);

}  // namespace pushrod
