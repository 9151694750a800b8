#include "services/disk_limits.hh"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.hh"
#include "base/text.hh"
#include "os/disk_use.hh"

namespace pushrod {

namespace {

constexpr std::uint64_t kEnoughRoom = 95;  // percent of the limit: less, and it may write again
constexpr std::uint64_t kFarTooMuch = 125;

std::uint64_t percent(std::uint64_t bytes, std::uint64_t of) { return bytes / 100 * of; }

void tell(const ServicePlatform& platform, const BackingService& service) {
  const auto now = platform.store.service(service.id).value();
  const auto problem = disk_problem(platform.settings, now);
  fmt::print(stderr, "service {}: {}\n", service.name.str(),
             problem.empty() ? "its data is smaller again: it may write" : problem);
}

}  // namespace

std::string disk_problem(const Settings& settings, const BackingService& service) {
  const auto limit = disk_limit(settings, service);
  if (limit == 0 || service.over_disk <= percent(limit, kEnoughRoom)) return {};
  const auto& name = service.name.str();
  const auto more = fmt::format("service limit {} --disk {}G", name, (std::max(limit, service.over_disk) >> 29) + 1);
  const auto figures =
      fmt::format("its data takes {}, and its limit is {}", format_bytes(service.over_disk), format_bytes(limit));
  if (service.state == ServiceState::Stopped) {
    return fmt::format("{}: it is stopped. Allow it more ({}), then: service start {}", figures, more, name);
  }
  return fmt::format(
      "{}: it is read-only until 5 % of that are free. Delete data (service console {}), or allow it more "
      "({})",
      figures, name, more);
}

void keep_disk_limit(const ServicePlatform& platform, const BackingService& service) {
  const auto limit = disk_limit(platform.settings, service);
  const bool was_over = service.over_disk != 0;
  if (service.state != ServiceState::Running || !service.upgrade.empty() || (limit == 0 && !was_over)) return;
  const auto measure = [&] { return measure_disk_use(platform.layout.service_data(service.name)).bytes; };
  auto use = limit == 0 ? 0 : measure();
  if (use <= limit && !was_over) return;
  const auto& type = type_of(service);
  const auto server = server_of(platform, service);
  if (!type.answers(server)) return;  // it is starting: the next look finds it
  if (use > limit) {
    type.make_room(server);
    use = measure();
  }
  const bool is_over = use > (was_over ? percent(limit, kEnoughRoom) : limit);
  if (!is_over && !was_over) return;
  if (!is_over) {
    type.set_read_only(server, false);
    platform.store.set_service_over_disk(service.id, 0);
    tell(platform, service);
    return;
  }
  platform.store.set_service_over_disk(service.id, use);
  type.set_read_only(server, true);
  const bool grows_on = was_over && type.may_insist() && use > percent(limit, kFarTooMuch);
  if (grows_on) {
    platform.store.set_service_state(service.id, ServiceState::Stopped);
    platform.engine.stop(service.name);
  }
  if (!was_over || grows_on) tell(platform, service);
}

bool keep_disk_limits(const ServicePlatform& platform) {
  bool any = false;
  for (const auto& service : platform.store.services()) {
    if (disk_limit(platform.settings, service) == 0 && service.over_disk == 0) continue;
    any = true;
    // What works on it now looks at its room by itself, and is not disturbed.
    const auto lock = FileLock::try_acquire(platform.layout.service_lock(service.name));
    const auto now = lock ? platform.store.service(service.id) : std::nullopt;
    if (!now) continue;
    try {
      keep_disk_limit(platform, *now);
    } catch (const Error& error) {
      fmt::print(stderr, "service {}: its disk limit: {}\n", service.name.str(), escaped(error.message()));
    }
  }
  return any;
}

}  // namespace pushrod
