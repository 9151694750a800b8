// Which lines of a log are wanted: those since a time, and those that match a pattern.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "os/clock.hh"

namespace re2 {
class RE2;
}

namespace pushrod {

// "10m", "2h", "1d12h" before `now`, or a point in time as parse_time() reads it. Throws UserError.
WallTime parse_since(const std::string& text, WallTime now);

class LogFilter {
 public:
  // Both may be empty: then everything is wanted. The pattern is RE2's (https://github.com/google/re2/wiki/Syntax),
  // which takes time in proportion to the length of the line for every pattern. Throws UserError.
  LogFilter(const std::string& since, const std::string& pattern);
  ~LogFilter();

  std::optional<WallTime> since() const { return since_; }
  bool is_since(WallTime time) const { return !since_ || time >= *since_; }
  // Matches anywhere in the line as people see it, without colours.
  bool matches(const std::string& text) const;
  bool wants(WallTime time, const std::string& text) const { return is_since(time) && matches(text); }

 private:
  std::optional<WallTime> since_;
  std::unique_ptr<re2::RE2> pattern_;
};

}  // namespace pushrod
