// Points in time as people and programs write them.
#include "base/text.hh"

namespace pushrod {

namespace {

using Time = std::chrono::system_clock::time_point;
using std::chrono::days;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

// Takes what it knows off the front of a text.
class Reader {
 public:
  explicit Reader(std::string_view text) : rest_(text) {}

  bool at_end() const { return rest_.empty(); }
  bool take(char wanted) {
    if (rest_.empty() || rest_.front() != wanted) return false;
    rest_.remove_prefix(1);
    return true;
  }
  // Exactly so many digits, as a number up to `most`.
  std::optional<unsigned> number(std::size_t digits, unsigned most) {
    if (rest_.size() < digits) return std::nullopt;
    const auto value = parse_unsigned(rest_.substr(0, digits));
    if (!value || *value > most) return std::nullopt;
    rest_.remove_prefix(digits);
    return static_cast<unsigned>(*value);
  }
  // Digits after a decimal point; milliseconds, what is finer is cut off.
  std::optional<std::chrono::milliseconds> fraction() {
    unsigned value = 0, digits = 0;
    for (; !rest_.empty() && rest_.front() >= '0' && rest_.front() <= '9'; rest_.remove_prefix(1), ++digits) {
      if (digits < 3) value = value * 10 + static_cast<unsigned>(rest_.front() - '0');
    }
    if (digits == 0 || digits > 9) return std::nullopt;
    for (; digits < 3; ++digits) value *= 10;
    return std::chrono::milliseconds(value);
  }

 private:
  std::string_view rest_;
};

std::optional<Time> read_date(Reader& reader) {
  const auto year = reader.number(4, 9999);
  if (!year || !reader.take('-')) return std::nullopt;
  const auto month = reader.number(2, 12);
  if (!month || !reader.take('-')) return std::nullopt;
  const auto day = reader.number(2, 31);
  if (!day) return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year(static_cast<int>(*year)), std::chrono::month(*month),
                                         std::chrono::day(*day)};
  // Beyond these years the clock's nanoseconds overflow.
  if (!date.ok() || *year < 1970 || *year > 2261) return std::nullopt;
  return std::chrono::sys_days(date);
}

// "15:04", "15:04:05", "15:04:05.123"
std::optional<std::chrono::milliseconds> read_time_of_day(Reader& reader) {
  const auto hour = reader.number(2, 23);
  if (!hour || !reader.take(':')) return std::nullopt;
  const auto minute = reader.number(2, 59);
  if (!minute) return std::nullopt;
  std::chrono::milliseconds time = hours(*hour) + minutes(*minute);
  if (!reader.take(':')) return time;
  const auto second = reader.number(2, 59);
  if (!second) return std::nullopt;
  time += seconds(*second);
  if (!reader.take('.')) return time;
  const auto fraction = reader.fraction();
  if (!fraction) return std::nullopt;
  return time + *fraction;
}

// "Z", "+01:00", "-0330"; nothing is UTC.
std::optional<minutes> read_zone(Reader& reader) {
  if (reader.at_end() || reader.take('Z')) return minutes(0);
  const bool west = reader.take('-');
  if (!west && !reader.take('+')) return std::nullopt;
  const auto hour = reader.number(2, 23);
  reader.take(':');
  const auto minute = hour ? reader.number(2, 59) : std::nullopt;
  if (!minute) return std::nullopt;
  const auto offset = hours(*hour) + minutes(*minute);
  return west ? -offset : offset;
}

}  // namespace

std::optional<Time> parse_time(std::string_view text) {
  Reader reader(text);
  const auto date = read_date(reader);
  if (!date || reader.at_end()) return date;
  if (!reader.take(' ') && !reader.take('T')) return std::nullopt;
  const auto time = read_time_of_day(reader);
  const auto zone = time ? read_zone(reader) : std::nullopt;
  if (!zone || !reader.at_end()) return std::nullopt;
  return *date + *time - *zone;
}

}  // namespace pushrod
