// When a cron job is due: the five fields of crontab(5), and the next time that they name.
// Pure; the clock and the zone are given.
//
//   minute 0-59 · hour 0-23 · day of month 1-31 · month 1-12 or jan-dec · day of week 0-7 (0 and 7: Sunday) or sun-sat
//
// A field is "*", a number, a range "a-b", or several of these with commas; "*" and ranges may have a step "/n". When
// both days are restricted (neither field begins with "*"), a day is meant that matches one of them; otherwise it must
// match both. @hourly, @daily (@midnight), @weekly, @monthly, @yearly (@annually) stand for the usual fields.
#pragma once

#include <bitset>
#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "model/time_zone.hh"
#include "os/clock.hh"

namespace pushrod {

class Schedule {
 public:
  // Throws UserError: what is wrong with which field, or that no such day ever comes.
  static Schedule parse(std::string_view text);

  const std::string& str() const noexcept { return text_; }  // as it was written
  // The hour field names hours, rather than beginning with "*": see next_due().
  bool has_fixed_hour() const noexcept { return fixed_hour_; }
  // The first minute in [from, until) of local time that matches.
  std::optional<std::chrono::local_time<std::chrono::minutes>> first_match(
      std::chrono::local_time<std::chrono::minutes> from, std::chrono::local_time<std::chrono::minutes> until) const;

 private:
  Schedule() = default;
  bool matches(std::chrono::local_days day) const;
  bool ever_comes() const;

  std::string text_;
  std::bitset<60> minutes_;
  std::bitset<24> hours_;
  std::bitset<32> days_;
  std::bitset<13> months_;
  std::bitset<8> weekdays_;  // 0: Sunday; 7 is folded into it
  bool any_day_ = false;     // the field begins with "*"
  bool any_weekday_ = false;
  bool fixed_hour_ = false;
};

// The first time after `after` at which the schedule is due; absent when none comes within 41 years.
//
// Where local time jumps (by three hours at most; daylight saving): a schedule without fixed hours follows the time
// that passes, not the local clock. One with fixed hours is neither skipped nor doubled: times in the gap are due
// right after it (all of them at once: one run), times that come twice are due the first time.
std::optional<WallTime> next_due(const Schedule& schedule, const TimeZone& zone, WallTime after);

}  // namespace pushrod
