// .env files: settings as people keep them beside their code.
// Lines "NAME=value", with "export " before the name or not; blank lines and those that begin with '#' are
// passed over. A value stands as it is up to the end of the line (blanks around it, and a comment after " #", are cut
// off), in single quotes (as it is, over several lines if need be), or in double quotes (the same, but \n, \r, \t, \",
// \\ and \$ mean what they do in a shell's strings). Nothing is ever expanded: '$' means itself. The file is text
// (text_file.hh), but a value in quotes may contain other bytes, since render_dotenv() writes any value of a setting.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "base/secret.hh"
#include "model/names.hh"

namespace pushrod {

using DotenvEntries = std::vector<std::pair<SettingName, Secret>>;

// In the order of the file. Throws UserError, which names file and line, never a value; a name that stands there twice
// is refused.
DotenvEntries parse_dotenv(const std::string& bytes, const std::string& file_name);

// So that parse_dotenv() reads it back byte for byte.
std::string render_dotenv(const DotenvEntries& entries);

}  // namespace pushrod
