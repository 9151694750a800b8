// What pushrod.toml and a Procfile have in common: the rules for a process type's name and for a command.
// Used inside config/ only. Every function throws UserError that begins with the place ("Procfile:3").
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "model/names.hh"

namespace pushrod {

// A Procfile's line of this name is the release command and not a process, as on Heroku.
inline constexpr std::string_view kReleaseType = "release";

ProcessType parse_process_type(std::string_view name, const std::string& place);
// Not empty, not longer than a command line may be, no control characters but tab and newline.
void check_command(std::string_view command, std::string_view called, const std::string& place);
// An app has at most 50 process types.
void check_number_of_types(std::size_t number, const std::string& place);

}  // namespace pushrod
