// What HAProxy cannot do by itself, in Lua: requests that wait, and an app's own page.
// Used inside router/ only. The rules of the configuration call it for apps in another mode than Serve, so it
// costs the others nothing.
#pragma once

#include <string>

namespace pushrod {

inline constexpr unsigned kMostHeld = 1'000;     // requests per app
inline constexpr unsigned kLongestHold = 30;     // seconds
inline constexpr unsigned kPageRetryAfter = 60;  // seconds, beside an app's own page
inline constexpr unsigned kMostFilesRead = 500;  // files of apps that the script keeps in memory
inline constexpr const char* kHoldScript = "hold.lua";

std::string render_hold_script();

}  // namespace pushrod
