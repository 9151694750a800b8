// Assigns back ends to apps.
#include "router/slots.hh"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/text.hh"
#include "router/haproxy_config.hh"

namespace pushrod {

namespace {

// A kind of slot: how many the configuration had, and how many it is to have beside those that apps use.
struct SlotKind {
  std::string_view prefix;
  unsigned before;
  unsigned least_spare;
};

unsigned number_of(std::string_view slot, std::string_view prefix) {
  return slot.starts_with(prefix) ? static_cast<unsigned>(parse_unsigned(slot.substr(prefix.size())).value_or(0)) : 0;
}

// The lowest that no app has or had.
std::string free_slot(std::string_view prefix, std::set<std::string>& taken) {
  for (unsigned number = 1;; ++number) {
    if (auto name = fmt::format("{}{}", prefix, number); taken.insert(name).second) return name;
  }
}

// A back end takes 24 kB. As many again as a quarter of the apps keep reloads rare.
unsigned wanted_count(const MapEntries& of_apps, const SlotKind& kind) {
  unsigned used = 0, highest = 0;
  for (const auto& [app, slot] : of_apps) {
    const auto number = number_of(slot, kind.prefix);
    used += number > 0 ? 1 : 0;
    highest = std::max(highest, number);
  }
  if (kind.before > 0 && highest <= kind.before) return kind.before;
  return std::max(highest, used + std::max(kind.least_spare, used / 4));
}

}  // namespace

std::string_view slot_of(std::string_view backend) {
  return backend.starts_with(kKeepAlive) ? backend.substr(kKeepAlive.size()) : backend;
}

bool is_slot(std::string_view backend) {
  const auto slot = slot_of(backend);
  return slot.starts_with(kPlainSlot) || slot.starts_with(kStickySlot);
}

Slots parse_slots(std::string_view config, std::string_view map) {
  Slots slots;
  for (const auto& line : lines_of(config)) {
    if (line.starts_with(fmt::format("backend {}", kPlainSlot))) ++slots.plain;
    if (line.starts_with(fmt::format("backend {}", kStickySlot))) ++slots.sticky;
  }
  for (const auto& [app, backend] : parse_map(map)) slots.of_apps.emplace(app, slot_of(backend));
  return slots;
}

Slots assign_slots(const RoutingTable& table, const Slots& before) {
  std::set<std::string> taken;
  for (const auto& [app, slot] : before.of_apps) taken.insert(slot);
  Slots slots;
  for (const auto& app : table.apps) {
    const auto name = routed_name(app.app);
    const auto kind = app.sticky ? kStickySlot : kPlainSlot;
    const auto known = before.of_apps.find(name);
    const bool keeps = known != before.of_apps.end() && number_of(known->second, kind) > 0;
    slots.of_apps.emplace(name, keeps ? known->second : free_slot(kind, taken));
  }
  slots.plain = wanted_count(slots.of_apps, {kPlainSlot, before.plain, 8});
  slots.sticky = wanted_count(slots.of_apps, {kStickySlot, before.sticky, 2});
  return slots;
}

}  // namespace pushrod
