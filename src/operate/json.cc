#include "operate/json.hh"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/text.hh"

namespace pushrod {

std::string iso_time(WallTime time) {
  auto text = format_time(time);
  std::replace(text.begin(), text.end(), ' ', 'T');
  return fmt::format("{}.{:03}Z", text, to_epoch_milliseconds(time) % 1000);
}

Json text_or_null(const std::string& text) { return text.empty() ? Json(nullptr) : Json(text); }

}  // namespace pushrod
