// A text that must not be shown.
#pragma once

#include <fmt/format.h>

#include <string>
#include <string_view>

namespace pushrod {

// Printing it says "[secret]"; its memory is wiped in the end.
class Secret {
 public:
  explicit Secret(std::string text) : text_(std::move(text)) {}
  Secret(const Secret&) = default;
  Secret& operator=(const Secret&) = default;
  ~Secret();

  const std::string& reveal() const noexcept { return text_; }

 private:
  std::string text_;
};

}  // namespace pushrod

template <>
struct fmt::formatter<pushrod::Secret> : fmt::formatter<std::string_view> {
  auto format(const pushrod::Secret&, fmt::format_context& context) const {
    return fmt::formatter<std::string_view>::format("[secret]", context);
  }
};
