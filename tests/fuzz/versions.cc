// Versions and ranges of versions, as npm and Python write them.
#include "build/version_range.hh"
#include "fuzz.hh"

namespace pushrod {

void fuzz(std::string_view bytes) {
  const auto [text, range] = first_line(bytes);
  const auto version = find_version(text);
  if (!version) return;
  static_cast<void>(is_in_npm_range(*version, range));
  static_cast<void>(is_in_python_range(*version, range));
}

}  // namespace pushrod
