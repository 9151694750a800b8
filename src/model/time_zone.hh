// Time zones, from the system's own database (tzdata).
// Only what schedules need: which distance from UTC holds when.
#pragma once

#include <chrono>
#include <optional>
#include <string>

namespace pushrod {

// From `begin` until before `end` local time is UTC plus `offset`.
struct OffsetPeriod {
  std::chrono::sys_seconds begin;
  std::chrono::sys_seconds end;
  std::chrono::seconds offset{0};
};

class TimeZone {
 public:
  // "Europe/Berlin"; absent when the database has no such zone. Throws Error when there is no database.
  static std::optional<TimeZone> find(const std::string& name);
  // What /etc/localtime names; UTC where it names nothing.
  static TimeZone of_server();
  // find(name), of_server() for an empty name. Throws Error when the zone is not there (any more).
  static TimeZone require(const std::string& name);

  const std::string& name() const noexcept { return name_; }
  OffsetPeriod period_at(std::chrono::sys_seconds time) const;

 private:
  TimeZone(std::string name, const void* zone) : name_(std::move(name)), zone_(zone) {}
  std::string name_;
  const void* zone_;  // the library's, which lives as long as the process
};

}  // namespace pushrod
