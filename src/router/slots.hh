// Which back end an app has. HAProxy 2.6 and 3.0 get a new back end only by a reload, so the configuration has some
// more than there are apps, and an app takes a free one at run time. Names tell nothing of apps: slots.map does. Used
// inside router/ only. Pure.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "model/names.hh"
#include "router/maps.hh"
#include "router/router.hh"

namespace pushrod {

inline constexpr std::string_view kPlainSlot = "slot.";
inline constexpr std::string_view kStickySlot = "sticky.";  // its back end sets the cookie

// Before the name of a slot: its second back end, which keeps connections to the app open between requests. Only
// requests that can be sent again go there, since an app may close a connection at the moment of its use.
inline constexpr std::string_view kKeepAlive = "keep-";

// In each such back end, beside the app's servers: leads back to the router, into the slot's other back end. It
// is never changed, so what reads HAProxy's answers leaves it out.
inline constexpr std::string_view kSecondTry = "second-try";
inline constexpr unsigned kSecondTryListener = 104;  // the number of its socket (so_id)

struct Slots {
  unsigned plain = 0;   // how many the configuration has: "slot.1" to "slot.<plain>"
  unsigned sticky = 0;  // "sticky.1", …
  MapEntries of_apps;   // "app.blog" → "slot.1": the entries of slots.map
};

// Either back end of a slot.
bool is_slot(std::string_view backend);
std::string_view slot_of(std::string_view backend);  // "slot.1" of "keep-slot.1"

// What the files of the running router say.
Slots parse_slots(std::string_view config, std::string_view map);

// An app keeps its slot; a new one, or one that began or ended to be sticky, takes one that had no app before: servers
// of an app that has gone may still be in the one that it had. Where none is free, there are more than before, with
// some to spare; only a reload brings these.
Slots assign_slots(const RoutingTable& table, const Slots& before);

}  // namespace pushrod
