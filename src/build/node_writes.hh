// What code of Node.js tells about the files that it writes. Used inside build/ only.
#pragma once

#include <string>

namespace pushrod {

// By its name, a file of code; and one that runs in production, not a test or the configuration of a tool.
bool is_script(const std::string& name);
bool is_program(const std::string& name);

// Does this code call something of Node.js, or of its usual packages, that writes files?
bool writes_files(const std::string& code);
// Does it name a place for them elsewhere than beside the code, or one that a variable tells (UPLOAD_DIR)?
bool writes_elsewhere(const std::string& code);

}  // namespace pushrod
