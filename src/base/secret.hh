// A text that must not be shown.
// Floor 0.
#pragma once

#include <fmt/format.h>

#include <string>
#include <string_view>
#include <vector>

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

// Replaces secrets in output. A secret of several lines is known by each of its lines; what is shorter than
// kShortestRedacted is found in too many places that mean something else.
class Redactor {
 public:
  static constexpr std::size_t kShortestRedacted = 4;
  static constexpr std::string_view kMark = "[redacted]";

  void add(const Secret& secret);
  std::size_t longest() const { return parts_.empty() ? 0 : parts_.front().reveal().size(); }
  // The line without its newline.
  std::string redact(std::string line) const;

 private:
  std::vector<Secret> parts_;  // longest first
};

}  // namespace pushrod

template <>
struct fmt::formatter<pushrod::Secret> : fmt::formatter<std::string_view> {
  auto format(const pushrod::Secret&, fmt::format_context& context) const {
    return fmt::formatter<std::string_view>::format("[secret]", context);
  }
};
