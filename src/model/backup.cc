// Names of backup targets.
#include "model/backup.hh"

#include <fmt/format.h>

#include "base/error.hh"
#include "base/text.hh"

namespace pushrod {

std::string parse_target_name(const std::string& text) {
  constexpr std::size_t kLongest = 40;
  const bool is_fit = !text.empty() && text.size() <= kLongest && text.front() >= 'a' && text.front() <= 'z' &&
                      text.back() != '-' &&
                      text.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-") == text.npos;
  if (is_fit) return text;
  throw UserError(
      fmt::format("target name {}: use 1 to 40 characters of a-z, 0-9 and '-', beginning with a letter and "
                  "not ending in '-'",
                  quoted(text)));
}

}  // namespace pushrod
