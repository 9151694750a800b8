// The Lua that checks access rules: networks, passwords and the rate of each client.
// Used inside router/ only. The rules of the configuration call it for apps with such rules alone.
#pragma once

#include <string_view>

namespace pushrod {

// A part of the script of hold_script.hh: uses its seconds().
std::string_view access_script();

}  // namespace pushrod
