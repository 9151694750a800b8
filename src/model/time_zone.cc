// Time zones: a thin wall around Howard Hinnant's date library, which reads the system's tzdata.
// Debian's tzdata lists every change up to 2037; what comes later is taken to be like the end of that year.
#include "model/time_zone.hh"

#include <date/tz.h>
#include <fmt/format.h>

#include "base/error.hh"
#include "base/text.hh"

namespace pushrod {

namespace {

constexpr const char* kUtc = "Etc/UTC";

const date::time_zone* locate(const std::string& name) {
  try {
    return date::locate_zone(name);
  } catch (const std::exception& missing) {
    try {
      date::locate_zone(kUtc);
    } catch (const std::exception& none) {
      throw Error(fmt::format("the time zones cannot be read: {}", none.what()),
                  "install tzdata: `apt install tzdata`");
    }
    return nullptr;
  }
}

}  // namespace

std::optional<TimeZone> TimeZone::find(const std::string& name) {
  const auto* zone = locate(name);
  if (zone == nullptr) return std::nullopt;
  return TimeZone(name, zone);
}

TimeZone TimeZone::of_server() {
  try {
    const auto* zone = date::current_zone();
    return {zone->name(), zone};
  } catch (const std::exception&) {
    return require(kUtc);
  }
}

TimeZone TimeZone::require(const std::string& name) {
  if (name.empty()) return of_server();
  auto zone = find(name);
  if (!zone) throw Error(fmt::format("the machine knows no time zone {} any more", quoted(name)), "install tzdata");
  return *zone;
}

OffsetPeriod TimeZone::period_at(std::chrono::sys_seconds time) const {
  const auto info = static_cast<const date::time_zone*>(zone_)->get_info(time);
  return {info.begin, info.end, info.offset};
}

}  // namespace pushrod
