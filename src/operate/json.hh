// What the views of this room have in common as JSON.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "os/clock.hh"

namespace pushrod {

using Json = nlohmann::ordered_json;  // members in the order in which they are added

std::string iso_time(WallTime time);         // "2026-11-22T15:04:05.123Z"
Json text_or_null(const std::string& text);  // null for an empty text

}  // namespace pushrod
