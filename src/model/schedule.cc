// Schedules: reading the five fields, and finding the next minute that they name.
// The rules are crontab(5)'s; where local time jumps, those of Debian's cron.
#include "model/schedule.hh"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <vector>

#include "base/error.hh"
#include "base/text.hh"

namespace pushrod {

namespace {

using std::chrono::days;
using std::chrono::hours;
using std::chrono::local_days;
using std::chrono::local_time;
using std::chrono::minutes;
using std::chrono::seconds;
using std::chrono::sys_seconds;

constexpr std::size_t kLongestSchedule = 500;
constexpr hours kLargestJump{3};
constexpr days kHorizon{41 * 366};  // a 29 February that is a Sunday may take 40 years

struct FieldRule {
  std::string_view name;
  unsigned first;
  unsigned last;
  std::vector<std::string_view> words;  // the first one stands for the number `first`
};

const FieldRule& rule_of(std::size_t field) {
  static const std::array<FieldRule, 5> kRules{{
      {"minute", 0, 59, {}},
      {"hour", 0, 23, {}},
      {"day of month", 1, 31, {}},
      {"month", 1, 12, {"jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"}},
      {"day of week", 0, 7, {"sun", "mon", "tue", "wed", "thu", "fri", "sat"}},
  }};
  return kRules.at(field);
}

struct Alias {
  std::string_view name;
  std::string_view fields;
};
constexpr std::array<Alias, 7> kAliases{{{"@hourly", "0 * * * *"},
                                         {"@daily", "0 0 * * *"},
                                         {"@midnight", "0 0 * * *"},
                                         {"@weekly", "0 0 * * 0"},
                                         {"@monthly", "0 0 1 * *"},
                                         {"@yearly", "0 0 1 1 *"},
                                         {"@annually", "0 0 1 1 *"}}};

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& character : result) {
    if (character >= 'A' && character <= 'Z') character = static_cast<char>(character - 'A' + 'a');
  }
  return result;
}

// One field: which of its numbers are named.
class FieldReader {
 public:
  FieldReader(const FieldRule& rule, std::string_view text) : rule_(rule), text_(text) {}

  template <std::size_t Size>
  void read_into(std::bitset<Size>& numbers) const {
    for (const std::string& part : split(text_, ',')) {
      const Span span = read_part(part);
      for (unsigned number = span.first; number <= span.last; number += span.step) numbers.set(number);
    }
  }

 private:
  struct Span {
    unsigned first, last, step;
  };

  [[noreturn]] void refuse(const std::string& problem, const std::string& hint = {}) const {
    throw UserError(fmt::format("the {} {} {}", rule_.name, quoted(text_), problem),
                    hint.empty() ? fmt::format("it is \"*\", a number from {} to {}, a range such as {}-{}, several of "
                                               "them with commas, or one with a step such as */2",
                                               rule_.first, rule_.last, rule_.first, rule_.last)
                                 : hint);
  }

  unsigned read_number(std::string_view text) const {
    const auto word = std::find(rule_.words.begin(), rule_.words.end(), lower(text));
    if (word != rule_.words.end()) return rule_.first + static_cast<unsigned>(word - rule_.words.begin());
    const auto number = parse_unsigned(text);
    if (!number) refuse(fmt::format("has {} where a number belongs", quoted(text)));
    if (*number < rule_.first || *number > rule_.last) {
      refuse(fmt::format("has {}, which is not from {} to {}", *number, rule_.first, rule_.last));
    }
    return static_cast<unsigned>(*number);
  }

  Span read_part(std::string_view part) const {
    Span span{rule_.first, rule_.last, 1};
    const auto slash = part.find('/');
    const std::string_view range = part.substr(0, slash);
    const auto dash = range.find('-');
    if (range == "*") {
      // Days of the week: 7 is another name of 0.
      if (rule_.last == 7) span.last = 6;
    } else if (dash == std::string_view::npos) {
      span.first = span.last = read_number(range);
      if (slash != std::string_view::npos) {
        refuse("has a step without a range", fmt::format("write {}-{}{}", range, rule_.last, part.substr(slash)));
      }
    } else {
      span.first = read_number(range.substr(0, dash));
      span.last = read_number(range.substr(dash + 1));
      if (rule_.last == 7 && span.last == 0 && span.first != 0) span.last = 7;  // "fri-sun"
      if (span.first > span.last) {
        refuse(fmt::format("has the range {}, which runs backwards", range),
               fmt::format("write it in two: {}-{},{}-{}", span.first, rule_.last, rule_.first, span.last));
      }
    }
    if (slash == std::string_view::npos) return span;
    const auto step = parse_unsigned(part.substr(slash + 1));
    if (!step || *step == 0 || *step > rule_.last) {
      refuse(fmt::format("has the step {}", quoted(part.substr(slash + 1))),
             fmt::format("a step is a number from 1 to {}", rule_.last));
    }
    span.step = static_cast<unsigned>(*step);
    return span;
  }

  const FieldRule& rule_;
  std::string_view text_;
};

std::vector<std::string> fields_of(std::string_view text) {
  std::string spaced(text);
  std::replace(spaced.begin(), spaced.end(), '\t', ' ');
  std::vector<std::string> fields = split(spaced, ' ');
  std::erase(fields, "");
  return fields;
}

std::vector<std::string> resolve_alias(std::vector<std::string> fields) {
  const std::string& word = fields.front();
  if (!word.starts_with('@')) return fields;
  std::vector<std::string> names;
  for (const auto& [name, stands_for] : kAliases) {
    if (fields.size() == 1 && lower(word) == name) return split(stands_for, ' ');
    names.emplace_back(name);
  }
  if (lower(word) == "@reboot") {
    throw UserError("the schedule \"@reboot\" names no time",
                    "a process type of its own, or the release command, runs when the app starts");
  }
  throw UserError(fmt::format("the schedule {} is not known", quoted(word)), "known: " + join(names, ", "));
}

sys_seconds to_sys(local_time<minutes> local, seconds offset) { return sys_seconds(local.time_since_epoch()) - offset; }

// The first whole minute of local time that is not before it.
local_time<minutes> to_local(sys_seconds time, seconds offset) {
  return local_time<minutes>(std::chrono::ceil<minutes>(time.time_since_epoch() + offset));
}

}  // namespace

Schedule Schedule::parse(std::string_view text) {
  if (text.size() > kLongestSchedule) {
    throw UserError(fmt::format("the schedule has {} bytes; at most {} are read", text.size(), kLongestSchedule));
  }
  std::vector<std::string> fields = fields_of(text);
  constexpr const char* kHint = "it is: minute hour day-of-month month day-of-week, such as 30 4 * * 1-5, or @daily";
  if (fields.empty()) throw UserError("the schedule is empty", kHint);
  fields = resolve_alias(std::move(fields));
  if (fields.size() != 5) {
    throw UserError(fmt::format("the schedule {} has {} instead of 5", quoted(text), counted(fields.size(), "field")),
                    kHint);
  }
  Schedule schedule;
  schedule.text_ = std::string(trim(text));
  FieldReader(rule_of(0), fields[0]).read_into(schedule.minutes_);
  FieldReader(rule_of(1), fields[1]).read_into(schedule.hours_);
  FieldReader(rule_of(2), fields[2]).read_into(schedule.days_);
  FieldReader(rule_of(3), fields[3]).read_into(schedule.months_);
  FieldReader(rule_of(4), fields[4]).read_into(schedule.weekdays_);
  if (schedule.weekdays_[7]) schedule.weekdays_.set(0);
  schedule.fixed_hour_ = !fields[1].starts_with('*');
  schedule.any_day_ = fields[2].starts_with('*');
  schedule.any_weekday_ = fields[4].starts_with('*');
  if (!schedule.ever_comes()) {
    throw UserError(fmt::format("the schedule {} never comes: no such month has such a day", quoted(text)));
  }
  return schedule;
}

bool Schedule::ever_comes() const {
  if (!any_day_ && !any_weekday_) return true;
  constexpr std::array<unsigned, 13> kDaysOf{0, 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  for (unsigned month = 1; month <= 12; ++month) {
    for (unsigned day = 1; day <= kDaysOf.at(month); ++day) {
      if (months_[month] && days_[day]) return true;
    }
  }
  return false;
}

bool Schedule::matches(local_days day) const {
  const std::chrono::year_month_day date(day);
  if (!months_[static_cast<unsigned>(date.month())]) return false;
  const bool by_day = days_[static_cast<unsigned>(date.day())];
  const bool by_weekday = weekdays_[std::chrono::weekday(day).c_encoding()];
  return any_day_ || any_weekday_ ? by_day && by_weekday : by_day || by_weekday;
}

std::optional<local_time<minutes>> Schedule::first_match(local_time<minutes> from, local_time<minutes> until) const {
  for (auto day = std::chrono::floor<days>(from); day < until; day += days{1}) {
    if (!matches(day)) continue;
    for (unsigned hour = 0; hour < hours_.size(); ++hour) {
      if (!hours_[hour] || day + hours{hour + 1} <= from) continue;
      for (unsigned minute = 0; minute < minutes_.size(); ++minute) {
        const local_time<minutes> time = day + hours{hour} + minutes{minute};
        if (!minutes_[minute] || time < from) continue;
        if (time >= until) return std::nullopt;
        return time;
      }
    }
  }
  return std::nullopt;
}

std::optional<WallTime> next_due(const Schedule& schedule, const TimeZone& zone, WallTime after) {
  sys_seconds from = std::chrono::floor<minutes>(after) + minutes{1};
  const sys_seconds horizon = from + kHorizon;
  while (from < horizon) {
    const OffsetPeriod period = zone.period_at(from);
    const sys_seconds end = std::min(period.end, horizon);
    local_time<minutes> local_from = to_local(from, period.offset);
    if (schedule.has_fixed_hour()) {
      const seconds before = zone.period_at(period.begin - seconds{1}).offset;
      const seconds jump = period.offset - before;
      const auto old_begin = to_local(period.begin, before);
      if (jump > seconds{0} && jump <= kLargestJump && from == period.begin &&
          schedule.first_match(old_begin, to_local(period.begin, period.offset))) {
        return period.begin;
      }
      if (jump < seconds{0} && -jump <= kLargestJump) local_from = std::max(local_from, old_begin);
    }
    if (const auto match = schedule.first_match(local_from, to_local(end, period.offset))) {
      return to_sys(*match, period.offset);
    }
    from = period.end;
  }
  return std::nullopt;
}

}  // namespace pushrod
