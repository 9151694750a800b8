// The text of a repository's config file. We are its only writer.
// Pure; private to git/.
#pragma once

#include <filesystem>
#include <string>

#include "model/settings.hh"

namespace pushrod {

std::string render_repository_config(const std::filesystem::path& hooks, const Settings& settings);

}  // namespace pushrod
