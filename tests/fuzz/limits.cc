// Sizes, durations, times and numbers that people write.
#include "base/text.hh"
#include "fuzz.hh"

namespace pushrod {

void fuzz(std::string_view bytes) {
  static_cast<void>(parse_unsigned(bytes));
  if (const auto size = parse_bytes(bytes)) static_cast<void>(format_bytes(*size));
  if (const auto duration = parse_duration(bytes)) static_cast<void>(format_duration(*duration));
  if (const auto time = parse_time(bytes)) static_cast<void>(format_time(*time));
}

}  // namespace pushrod
